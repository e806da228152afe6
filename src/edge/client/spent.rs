//! What conversations used, as the edge tells it.

use anyhow::Result;

use super::Edge;
use crate::edge::api::Spent;

impl Edge {
    /// From this place of this epoch on.
    pub(crate) async fn spent(&self, epoch: u64, place: u64) -> Result<Spent> {
        self.get(&format!("/spent/{epoch}/{place}")).await
    }
}
