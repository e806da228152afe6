//! `agentctl status`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::show::Shown;
use super::site::{Site, now, variable};
use crate::journal::{Owner, Store};
use crate::target::{Seen, Target};
use crate::ui::{self, Running, Serving, Status};

const ENDING: &str = "it is being stopped; agentctl stop --now does not wait for what is open";

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let past = journaled::read(&store).await?;
    let target = site.target(0).await?;
    let seen = target.observe().await?;
    let me = Owner::here(variable);
    let holder = store.holder().await?.map(|holder| holder.owner);
    let holder = holder.filter(|owner| !owner.is_gone(&me));
    let holder = holder.map(|owner| owner.to_string());
    let ended = past.iter().rfind(|past| past.rollout.finished().is_some());
    let serving = past
        .last()
        .map(|last| Serving::in_total(&last.rollout, &seen));
    let status = Status {
        agent: site.agent,
        environment: site.environment,
        url: seen.url.clone(),
        closed: seen.closed.clone(),
        releases: serving.unwrap_or_default(),
        beside: target.beside().await?,
        next: match seen.ending {
            true => Some(ENDING),
            false => next(&past, holder.as_deref()),
        },
        rollout: running(&past, &seen, holder),
        last: ended.map(Journaled::view),
    };
    shown.console().show(&status, now());
    Ok(Exit::Done)
}

/// Nobody goes on with a rollout that stalled, or whose process died.
fn next(past: &[Journaled], holder: Option<&str>) -> Option<&'static str> {
    let last = past.last().filter(|last| last.rollout.can_go_on())?;
    holder.is_none().then(|| ui::next(&last.rollout))
}

fn running(past: &[Journaled], seen: &Seen, holder: Option<String>) -> Option<Running> {
    let last = past
        .last()
        .filter(|last| last.rollout.finished().is_none())?;
    Some(Running::of(
        last.number,
        &last.rollout,
        seen,
        &last.verdicts,
        now(),
        holder,
    ))
}
