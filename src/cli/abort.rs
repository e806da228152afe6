//! `agentctl abort`

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::args::Which;
use super::exit::Exit;
use super::journaled::{self, Journaled};
use super::lease;
use super::resume;
use super::show::Shown;
use super::site::{Site, now};
use crate::advice::advice;
use crate::engine::ABORT;
use crate::journal::{Asked, Directory, Held, Store};
use crate::rollout::{Event, Phase};
use crate::target::Target;

/// How often the journal is looked at while another process undoes.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn run(which: &Which, shown: &mut Shown) -> Result<Exit> {
    let site = Site::find(which)?;
    let store = site.store();
    undo(&site, &store, shown).await
}

/// Undoes the running rollout: through whoever walks it, or here if nobody does.
pub(crate) async fn undo(site: &Site, store: &Directory, shown: &mut Shown) -> Result<Exit> {
    let running = running(site, store).await?;
    match lease::acquire(store).await {
        Ok(lease) => {
            let aborted = Event::Aborted(lease.who.clone());
            let exit = resume::walk(site, store, &lease, shown, Some(aborted)).await;
            lease.release(store, exit).await
        }
        Err(error) if error.is::<Held>() => {
            ask(store, running.number).await?;
            shown.note(format!("asked for the undo of rollout {}", running.number));
            follow(site, store, running.number, shown).await
        }
        Err(error) => Err(error),
    }
}

/// The rollout that can still be undone.
async fn running(site: &Site, store: &Directory) -> Result<Journaled> {
    let last = journaled::read(store).await?.pop();
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

async fn ask(store: &Directory, rollout: u64) -> Result<()> {
    let asked = Asked {
        rollout,
        kind: ABORT.to_owned(),
        who: lease::who(),
        at: now().0,
    };
    store.ask(asked).await
}

/// Waits until the process that walks the rollout has written down how it ended.
async fn follow(site: &Site, store: &Directory, number: u64, shown: &mut Shown) -> Result<Exit> {
    loop {
        let past = journaled::find(store, number).await?;
        let rollout = &past.rollout;
        if let (Some(outcome), Some(_)) = (rollout.outcome(), rollout.finished()) {
            let exit = Exit::of_undo(outcome);
            let seen = site.target(0)?.observe().await?;
            shown.ended(site, &past, &seen, exit);
            return Ok(exit);
        }
        sleep(LOOK).await;
    }
}
