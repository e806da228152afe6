//! `agentctl status`

use std::time::Duration;

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::show::Shown;
use super::site::{Site, now, variable};
use crate::journal::{HEARTBEAT, Holder, Owner, Store};
use crate::target::{Seen, Target};
use crate::ui::{self, Running, Serving, Status};

const ENDING: &str = "it is being stopped; agentctl stop --now does not wait for what is open";
const TORN: &str = "nothing sends it requests any more: agentctl deploy puts that back";

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let past = journaled::read(&store).await?;
    let target = site.target(0).await?;
    let seen = target.observe().await?;
    let me = Owner::here(variable);
    let holder = store.holder().await?;
    let holder = holder.filter(|holder| !holder.owner.is_gone(&me));
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
            false => next(&past, holder.as_ref(), &seen),
        },
        rollout: running(&past, &seen, holder.as_ref()),
        last: ended.map(Journaled::view),
    };
    shown.console().show(&status, now());
    Ok(Exit::Done)
}

/// Nobody goes on with a rollout that stalled, or whose process died, nor mends what was deleted.
fn next(past: &[Journaled], holder: Option<&Holder>, seen: &Seen) -> Option<&'static str> {
    let last = past.last().filter(|_| holder.is_none())?;
    match last.rollout.can_go_on() {
        true => Some(ui::next(&last.rollout)),
        false => is_torn(past, seen).then_some(TORN),
    }
}

/// Somebody deleted what sends it requests.
fn is_torn(past: &[Journaled], seen: &Seen) -> bool {
    let stable = journaled::history(past).stable();
    stable.is_some_and(|id| seen.releases.contains_key(&id) && !seen.shares.contains_key(&id))
}

fn running(past: &[Journaled], seen: &Seen, holder: Option<&Holder>) -> Option<Running> {
    let last = past
        .last()
        .filter(|last| last.rollout.finished().is_none())?;
    let running = Running::of(
        last.number,
        &last.rollout,
        seen,
        &last.verdicts,
        now(),
        holder.map(|holder| holder.owner.to_string()),
    );
    let silent = holder.and_then(silent);
    Some(Running { silent, ..running })
}

/// Seconds, where one heartbeat at least did not come: it is stopped, say, or its machine is.
fn silent(holder: &Holder) -> Option<u64> {
    let silent = Duration::from_millis(now().0.saturating_sub(holder.beat.at));
    (silent > HEARTBEAT * 2).then_some(silent.as_secs())
}
