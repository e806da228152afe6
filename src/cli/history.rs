//! `agentctl history`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::show::Shown;
use super::site::{Site, now};
use crate::advice::in_a_line;
use crate::target::Target;
use crate::ui::HistoryView;

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    // Whatever command comes next starts an edge again that was killed; this one needs none.
    if let Err(error) = site.target(0).await?.observe().await {
        shown.warn(&in_a_line(&error));
    }
    let past = journaled::read(&site.store().await?).await?;
    let rollouts = past.iter().rev().map(Journaled::view);
    let history = HistoryView {
        agent: site.agent,
        environment: site.environment,
        rollouts: rollouts.collect(),
    };
    shown.console().show(&history, now());
    Ok(Exit::Done)
}
