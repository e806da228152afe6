//! `agentctl approve`

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::lease::{self, Lease};
use super::resume;
use super::show::Shown;
use super::site::{Site, now};
use super::store::AnyStore;
use crate::advice::{advice, shown as one_line};
use crate::engine::APPROVE;
use crate::journal::Held;
use crate::rollout::Event;

const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Says yes to whoever walks the rollout; if nobody does, goes on with it here.
pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let last = last_look(&store).await?;
    let last = last.as_ref();
    let asks = |last: &Journaled| Some((last.number, last.asks()?.to_owned()));
    let Some((number, what)) = last.and_then(asks) else {
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
    say_yes(&site, &store, number, &what, shown).await
}

/// What was seen just now, and told to whoever watches, may not be written down yet.
async fn last_look(store: &AnyStore) -> Result<Option<Journaled>> {
    for _ in 0..LOOKS {
        let last = journaled::read(store).await?.pop();
        let may_ask = |last: &Journaled| last.asks().is_none() && last.rollout.may_ask(now());
        match last.filter(|last| last.rollout.can_go_on()) {
            Some(last) if may_ask(&last) => sleep(PAUSE).await,
            last => return Ok(last),
        }
    }
    Ok(None)
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
            let says = format!("approved rollout {number}: {}", one_line(what));
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
