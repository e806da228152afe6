//! `agentctl history`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::past;
use super::show::Shown;
use super::site::{Site, now};
use crate::ui;

pub(crate) async fn run(which: &Which, shown: &Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let past = past::read(&site.store()).await?;
    let rollouts = past.iter().map(|past| ui::Past::of(past.number, &*past.rollout.plan().by, &past.rollout));
    let history = ui::History {
        agent: site.agent,
        environment: site.environment.unwrap_or_default(),
        rollouts: rollouts.collect(),
    };
    shown.console().show(&history, now());
    Ok(Exit::Done)
}
