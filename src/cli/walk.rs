//! Walking a rollout under the lease, with Ctrl-C heard.

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::exit::Standing;
use super::show::Shown;
use super::site::{Site, now};
use crate::advice::advice;
use crate::engine::{self, Engine, Interrupt, Left};
use crate::journal::{Hold, Store};
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::rollout::{Event, Outcome, Plan, Rollout};
use crate::target::Target;

/// A rollout that is about to be walked, by whom it may be.
pub(crate) struct Walk<'a, T, S> {
    pub(crate) site: &'a Site,
    pub(crate) target: &'a T,
    pub(crate) store: &'a S,
    pub(crate) hold: &'a Hold,
    pub(crate) shown: &'a Shown,
    pub(crate) redactor: Redactor,
    pub(crate) who: String,
    pub(crate) number: u64,
}

impl<T: Target, S: Store> Walk<'_, T, S> {
    pub(crate) async fn new_rollout(self, plan: Plan) -> Result<Outcome> {
        let at = now();
        let rollout = engine::begin(self.store, self.hold, self.number, at, plan.clone()).await?;
        self.shown
            .planned(self.site, self.number, &rollout, at, &plan);
        self.walk(rollout, Vec::new()).await
    }

    /// Goes on where another process ended; `then` is what a person wants of it.
    pub(crate) async fn resumed(self, rollout: Rollout, then: Option<Event>) -> Result<Outcome> {
        let resumed = Event::Resumed(self.who.clone());
        let plan = rollout.plan().clone();
        self.shown
            .planned(self.site, self.number, &rollout, now(), &plan);
        let events = [Some(resumed), then].into_iter().flatten().collect();
        self.walk(rollout, events).await
    }

    async fn walk(self, rollout: Rollout, first: Vec<Event>) -> Result<Outcome> {
        let number = self.number;
        let to = rollout.plan().to;
        let mut engine = Engine {
            target: self.target,
            store: self.store,
            hold: self.hold,
            audience: self.shown,
            clock: &now,
            interrupts: interrupts(self.shown)?,
            redactor: &self.redactor,
            who: self.who,
            evidence: self.site.dir.evidence(number),
            number,
            rollout,
        };
        let walked = async {
            for event in first {
                engine.record(event).await?;
            }
            engine.walk().await
        };
        let walked = walked.await;
        self.shown.done();
        walked.map_err(|error| left_standing(error, number, to))
    }
}

fn left_standing(error: anyhow::Error, rollout: u64, to: ReleaseId) -> anyhow::Error {
    match error.is::<Left>() {
        true => error.context(Standing { rollout }).context(advice(
            format!("the rollout of {to} was left standing"),
            "go on with it: agentctl resume; undo it: agentctl abort",
        )),
        false => error.context(Standing { rollout }),
    }
}

/// The first Ctrl-C or SIGTERM undoes, the second leaves it standing.
fn interrupts(shown: &Shown) -> Result<watch::Receiver<Option<Interrupt>>> {
    let (send, receive) = watch::channel(None);
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let notice = shown.notices();
    tokio::task::spawn_local(async move {
        let mut said = Interrupt::Abort;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if said == Interrupt::Abort {
                notice.say("undoing; Ctrl-C once more leaves it standing");
            }
            if send.send(Some(said)).is_err() {
                return;
            }
            said = Interrupt::Leave;
        }
    });
    Ok(receive)
}
