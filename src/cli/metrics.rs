//! `agentctl metrics`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::show::Shown;
use super::site::Site;
use crate::advice::advice;

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    match site.target(0).await?.metrics().await? {
        Some(text) if shown.is_json() => shown.json("metrics", text.into()),
        Some(text) => shown.text(&text),
        None => {
            return Err(advice(
                format!("nothing of {} runs here", site.name()),
                "agentctl history shows what was deployed",
            ));
        }
    }
    Ok(Exit::Done)
}
