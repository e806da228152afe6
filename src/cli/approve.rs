//! `agentctl approve`

use anyhow::Result;
use serde_json::json;

use super::args::Which;
use super::exit::Exit;
use super::journaled;
use super::lease::{self, Lease};
use super::resume;
use super::show::Shown;
use super::site::{Site, now};
use super::store::AnyStore;
use crate::advice::advice;
use crate::engine::APPROVE;
use crate::journal::Held;
use crate::rollout::Event;

/// Says yes to whoever walks the rollout; if nobody does, goes on with it here.
pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    let last = last.as_ref().filter(|last| last.rollout.can_go_on());
    let waiting = last.and_then(|last| Some((last.number, last.rollout.asks(now())?)));
    let Some((number, what)) = waiting else {
        return Err(advice(
            format!("no rollout of {} waits for approval", site.name()),
            "agentctl status shows where it stands",
        ));
    };
    if last.is_some_and(|last| last.rollout.is_test()) {
        return Err(advice(
            format!("rollout {number} is an A/B test, and a yes does not say which arm stays"),
            "agentctl promote a keeps the release in force, agentctl promote b the new one",
        ));
    }
    say_yes(&site, &store, number, what, shown).await
}

/// To what this rollout waits for.
pub(crate) async fn say_yes(
    site: &Site,
    store: &AnyStore,
    number: u64,
    what: &str,
    shown: &mut Shown,
) -> Result<Exit> {
    match lease::try_acquire(store).await {
        Ok(lease) => {
            let work = async |lease: &Lease| {
                let approved = Event::Approved(lease.who.clone());
                resume::walk(site, store, lease, shown, Some(approved)).await
            };
            lease.during(store, work).await
        }
        Err(error) if error.is::<Held>() => {
            lease::ask(store, number, APPROVE).await?;
            let says = format!("approved rollout {number}: {what}");
            shown.result(
                "approved",
                says,
                json!({ "rollout": number, "approve": what }),
            );
            Ok(Exit::Done)
        }
        Err(error) => Err(error),
    }
}
