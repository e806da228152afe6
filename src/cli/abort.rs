//! `agentctl abort`

use anyhow::Result;
use tokio::time::sleep;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::lease::{self, Lease};
use super::resume;
use super::show::Shown;
use super::site::Site;
use super::store::AnyStore;
use crate::advice::advice;
use crate::engine::ABORT;
use crate::journal::{Held, Store};
use crate::rollout::{Event, Phase};
use crate::target::Target;

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    undo(&site, &store, last, shown).await
}

/// Undoes the running rollout: through whoever walks it, or here as soon as nobody does.
pub(crate) async fn undo(
    site: &Site,
    store: &AnyStore,
    last: Option<Journaled>,
    shown: &mut Shown,
) -> Result<Exit> {
    let running = running(site, last)?;
    let mut asked = false;
    loop {
        match lease::try_acquire(store).await {
            Ok(lease) => {
                let work = async |lease: &Lease| here(site, store, lease, &running, shown).await;
                return lease.during(store, work).await;
            }
            Err(error) if !error.is::<Held>() => return Err(error),
            Err(_) if !asked => {
                lease::ask(store, running.number, ABORT).await?;
                shown.note(format!("asked for the undo of rollout {}", running.number));
                asked = true;
            }
            Err(_) => sleep(store.pace()).await,
        }
        if let Some(ended) = ended(store, &running).await? {
            return told(site, &ended, shown).await;
        }
    }
}

/// Whoever walked it may have ended it just before it gave the lease back.
async fn here(
    site: &Site,
    store: &AnyStore,
    lease: &Lease,
    running: &Journaled,
    shown: &mut Shown,
) -> Result<Exit> {
    match ended(store, running).await? {
        Some(ended) => told(site, &ended, shown).await,
        None => {
            let aborted = Event::Aborted(lease.who.clone());
            resume::walk(site, store, lease, shown, Some(aborted)).await
        }
    }
}

/// The rollout that can still be undone.
fn running(site: &Site, last: Option<Journaled>) -> Result<Journaled> {
    let Some(last) = last.filter(|last| last.rollout.can_go_on()) else {
        return Err(advice(
            format!("no rollout of {} is running", site.name()),
            "to go back to an earlier release: agentctl rollback",
        ));
    };
    match last.rollout.phase() {
        Phase::CleaningUp => Err(advice(
            format!("rollout {} is past the point of no return", last.number),
            "finish it: agentctl resume; then go back: agentctl rollback",
        )),
        _ => Ok(last),
    }
}

/// The rollout, once its end was written down since it was found running.
async fn ended(store: &AnyStore, running: &Journaled) -> Result<Option<Journaled>> {
    let now = journaled::find(store, running.number).await?;
    let finished = now.rollout.finished();
    Ok(Some(now).filter(|_| finished.is_some() && finished != running.rollout.finished()))
}

async fn told(site: &Site, ended: &Journaled, shown: &mut Shown) -> Result<Exit> {
    let exit = ended.rollout.outcome().map_or(Exit::Stalled, Exit::of_undo);
    let seen = site.target(0).await?.observe().await?;
    shown.ended(site, ended, &seen, exit);
    Ok(exit)
}
