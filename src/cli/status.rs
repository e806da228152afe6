//! `agentctl status`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled, history};
use super::show::Shown;
use super::site::{Site, now};
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::target::{Seen, Target};
use crate::ui::{Role, Running, Serving, Status};

pub(crate) async fn run(which: &Which, shown: &Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store();
    let past = journaled::read(&store).await?;
    let seen = site.target(0)?.observe().await?;
    let holder = store.holder().await?.map(|holder| holder.owner.to_string());
    let ended = past.iter().rfind(|past| past.rollout.finished().is_some());
    let status = Status {
        agent: site.agent,
        environment: site.environment.unwrap_or_default(),
        url: seen.url.clone(),
        releases: serving(&past, &seen),
        rollout: running(&past, &seen, holder),
        last: ended.map(Journaled::view),
    };
    shown.console().show(&status, now());
    Ok(Exit::Done)
}

fn running(past: &[Journaled], seen: &Seen, holder: Option<String>) -> Option<Running> {
    let last = past.last().filter(|last| last.rollout.finished().is_none())?;
    Some(Running::of(last.number, &last.rollout, seen, now(), holder))
}

fn serving(past: &[Journaled], seen: &Seen) -> Vec<Serving> {
    let stable = history(past).stable();
    let candidate = past.last().map(|last| last.rollout.plan().to);
    let role = |id: ReleaseId| match () {
        () if Some(id) == stable => Role::Stable,
        () if seen.releases[&id].wanted == 0 => Role::Draining,
        () if Some(id) == candidate => Role::Candidate,
        () => Role::Draining,
    };
    let releases = seen.releases.iter().rev();
    releases
        .map(|(id, release)| {
            let weight = seen.shares.get(id).copied().unwrap_or_default();
            Serving::new(*id, role(*id), weight, release, &release.total)
        })
        .collect()
}
