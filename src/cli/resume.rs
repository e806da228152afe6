//! `agentctl resume`

use anyhow::Result;

use super::args;
use super::exit::Exit;
use super::journaled;
use super::lease::{self, Lease};
use super::prune;
use super::show::Shown;
use super::site::Site;
use super::store::AnyStore;
use super::walk::{AS_JOB, BY_HAND, Walk, wake_beside};
use crate::advice::advice;
use crate::engine::Interrupt;
use crate::rollout::{Event, Outcome};
use crate::target::Target;

pub(crate) async fn run(args: &args::Resume, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(&args.which)?;
    let store = site.store().await?;
    let lease = lease::acquire(&store).await?;
    if args.as_job {
        return lease
            .during(&store, async |lease| {
                as_job(&site, &store, lease, shown).await
            })
            .await;
    }
    let work = async |lease: &Lease| walk(&site, &store, lease, shown, None).await;
    lease.during(&store, work).await
}

/// Any outcome is a good end for who only has to reach one.
async fn as_job(site: &Site, store: &AnyStore, lease: &Lease, shown: &mut Shown) -> Result<Exit> {
    let last = journaled::read(store).await?.pop();
    if last.is_none_or(|last| last.rollout.finished().is_some()) {
        return Ok(Exit::Done);
    }
    let walked = walk_by(site, store, lease, shown, None, AS_JOB).await;
    walked.map(|_| Exit::Done)
}

/// Goes on with the last rollout where its process ended; `then` is what a person wants of it.
pub(crate) async fn walk(
    site: &Site,
    store: &AnyStore,
    lease: &Lease,
    shown: &mut Shown,
    then: Option<Event>,
) -> Result<Exit> {
    walk_by(site, store, lease, shown, then, BY_HAND).await
}

async fn walk_by(
    site: &Site,
    store: &AnyStore,
    lease: &Lease,
    shown: &mut Shown,
    then: Option<Event>,
    signals: &'static [Interrupt],
) -> Result<Exit> {
    let last = journaled::read(store).await?.pop();
    let Some(last) = last.filter(|last| last.rollout.can_go_on()) else {
        return Err(advice(
            format!("there is no rollout of {} to go on with", site.name()),
            "agentctl status shows what runs",
        ));
    };
    let exit = match then {
        Some(Event::Aborted(_) | Event::Kept(_)) => Exit::of_undo,
        _ => Exit::of_outcome,
    };
    let target = site.target(lease.hold.fence()).await?;
    wake_beside(&target, shown).await;
    let values = target.kept_secrets().await?;
    let walk = Walk {
        site,
        target: &target,
        store,
        lease,
        shown,
        values: &values,
        notify: None,
        number: last.number,
        exit,
        signals,
    };
    let outcome = walk.resumed(last.rollout, then).await?;
    target.settle().await?;
    if outcome == Outcome::Completed {
        prune::run(&target, store, &target.observe().await?).await?;
    }
    Ok(exit(&outcome))
}
