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
use crate::engine::{ABORT, KEEP};
use crate::journal::{Held, Store};
use crate::rollout::{Event, Outcome, Phase};
use crate::target::Target;

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store().await?;
    let last = journaled::read(&store).await?.pop();
    undo(&site, &store, last, Word::Abort, shown).await
}

/// Why a person undoes it.
#[derive(Clone, Copy)]
pub(crate) enum Word {
    Abort,
    /// The stable release of an A/B test is to stay.
    Keep,
}

impl Word {
    fn request(self) -> &'static str {
        match self {
            Self::Abort => ABORT,
            Self::Keep => KEEP,
        }
    }

    fn event(self, who: String) -> Event {
        match self {
            Self::Abort => Event::Aborted(who),
            Self::Keep => Event::Kept(who),
        }
    }

    fn asked(self, running: &Journaled) -> String {
        let plan = running.rollout.plan();
        match (self, plan.stable()) {
            (Self::Keep, Some(stable)) => format!("asked for {stable} to stay"),
            _ => format!("asked for the undo of rollout {}", running.number),
        }
    }
}

/// Undoes the running rollout: through whoever walks it, or here as soon as nobody does.
pub(crate) async fn undo(
    site: &Site,
    store: &AnyStore,
    last: Option<Journaled>,
    word: Word,
    shown: &mut Shown,
) -> Result<Exit> {
    let running = running(site, last)?;
    let ask = Some((word.request(), word.asked(&running)));
    let reached = reached(store, &running, ask, shown).await?;
    let then = |lease: &Lease| Some(word.event(lease.who.clone()));
    end(site, store, &running, reached, (then, Exit::of_undo), shown).await
}

/// Waits for the end of a rollout, or goes on with it as soon as nobody else does.
pub(crate) async fn follow(
    site: &Site,
    store: &AnyStore,
    running: &Journaled,
    shown: &mut Shown,
) -> Result<Exit> {
    let reached = reached(store, running, None, shown).await?;
    let how = (|_: &Lease| None, Exit::of_outcome as fn(&Outcome) -> Exit);
    end(site, store, running, reached, how, shown).await
}

/// Told, where somebody else has ended it; else walked to its end here.
async fn end(
    site: &Site,
    store: &AnyStore,
    running: &Journaled,
    reached: Reached,
    (then, exit): (impl Fn(&Lease) -> Option<Event>, fn(&Outcome) -> Exit),
    shown: &mut Shown,
) -> Result<Exit> {
    match reached {
        Reached::Ended(ended) => told(site, &ended, exit, shown).await,
        Reached::Free(lease) => {
            let work = async |lease: &Lease| match ended(store, running).await? {
                Some(ended) => told(site, &ended, exit, shown).await,
                None => resume::walk(site, store, lease, shown, then(lease)).await,
            };
            lease.during(store, work).await
        }
    }
}

/// What became of a rollout that somebody else may walk.
pub(crate) enum Reached {
    Ended(Box<Journaled>),
    /// Nobody walks it. Whoever did may have ended it just before.
    Free(Lease),
}

/// `ask`: what is asked of whoever walks it, and what is said of that.
pub(crate) async fn reached(
    store: &AnyStore,
    running: &Journaled,
    mut ask: Option<(&str, String)>,
    shown: &mut Shown,
) -> Result<Reached> {
    loop {
        match (lease::try_acquire(store).await, ask.take()) {
            (Ok(lease), _) => return Ok(Reached::Free(lease)),
            (Err(error), _) if !error.is::<Held>() => return Err(error),
            (Err(_), Some((request, says))) => {
                lease::ask(store, running.number, request).await?;
                shown.note(says);
            }
            (Err(_), None) => sleep(store.pace()).await,
        }
        if let Some(ended) = ended(store, running).await? {
            return Ok(Reached::Ended(Box::new(ended)));
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

async fn told(
    site: &Site,
    ended: &Journaled,
    exit: fn(&Outcome) -> Exit,
    shown: &mut Shown,
) -> Result<Exit> {
    let exit = ended.rollout.outcome().map_or(Exit::Stalled, exit);
    let seen = site.target(0).await?.observe().await?;
    shown.ended(site, ended, &seen, exit);
    Ok(exit)
}
