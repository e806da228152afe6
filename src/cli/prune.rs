//! Old releases' files go; the journal stays.

use anyhow::Result;

use super::journaled;
use super::proposal::releases;
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::Outcome;
use crate::target::{Any, Seen};

/// Releases that took over once and that `rollback` can go back to.
const KEPT: usize = 15;

/// Keeps the files of the last releases that took over, and of all that still run.
pub(crate) async fn run<S: Store>(target: &Any, store: &S, seen: &Seen) -> Result<()> {
    let past = journaled::read(store).await?;
    let completed = past
        .iter()
        .rev()
        .filter(|past| past.rollout.outcome() == Some(&Outcome::Completed))
        .map(|past| past.rollout.plan().to);
    let mut kept: Vec<ReleaseId> = Vec::new();
    for release in completed {
        if kept.len() < KEPT && !kept.contains(&release) {
            kept.push(release);
        }
    }
    let releases = releases(store, &past).await?;
    let kept = releases
        .iter()
        .filter(|release| kept.contains(&release.id) || seen.releases.contains_key(&release.id));
    target.keep_only(&kept.collect::<Vec<_>>()).await
}
