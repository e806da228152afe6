//! `agentctl resume`

use anyhow::Result;

use super::args::Which;
use super::exit::Exit;
use super::journaled;
use super::lease::{self, Lease};
use super::show::Shown;
use super::site::Site;
use super::store::AnyStore;
use super::walk::Walk;
use crate::advice::advice;
use crate::rollout::Event;

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let lease = lease::acquire(&store).await?;
    let work = async |lease: &Lease| walk(&site, &store, lease, shown, None).await;
    lease.during(&store, work).await
}

/// Goes on with the last rollout where its process ended; `then` is what a person wants of it.
pub(crate) async fn walk(
    site: &Site,
    store: &AnyStore,
    lease: &Lease,
    shown: &mut Shown,
    then: Option<Event>,
) -> Result<Exit> {
    let last = journaled::read(store).await?.pop();
    let Some(last) = last.filter(|last| last.rollout.can_go_on()) else {
        return Err(advice(
            format!("there is no rollout of {} to go on with", site.name()),
            "agentctl status shows what runs",
        ));
    };
    let exit = match then {
        Some(Event::Aborted(_)) => Exit::of_undo,
        _ => Exit::of_outcome,
    };
    let target = site.target(lease.hold.fence()).await?;
    let values = target.kept_secrets().await?;
    let walk = Walk {
        site,
        target: &target,
        store,
        hold: &lease.hold,
        shown,
        values,
        notify: None,
        who: lease.who.clone(),
        number: last.number,
        exit,
    };
    let outcome = walk.resumed(last.rollout, then).await?;
    target.settle().await?;
    Ok(exit(&outcome))
}
