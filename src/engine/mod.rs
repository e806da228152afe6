//! The loop: what the rollout wants next becomes a call, its answer an event. An event is written
//! down before it is believed, and believed before it is shown.
//!
//! It knows no strategy and no kind of target. Invariants: every event is appended under the lease
//! held; an effect that is broken off leaves doubt behind, which the rollout answers by looking.

mod compare;
mod evidence;
mod figures;
mod gates;
mod interrupt;
pub(crate) mod judging;
mod live;
mod looks;
mod noted;
mod opening;
mod perform;
pub(crate) mod probe;
mod ready;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

pub(crate) use gates::Kept;
pub(crate) use interrupt::{ABORT, APPROVE, Interrupt, KEEP, Left};
pub(crate) use judging::{Judging, Jury, Purses};
pub(crate) use noted::Noted;
pub(crate) use ready::{MARGIN, because};

use crate::advice::{Advise, advice};
use crate::analysis::{Sources, Verdict};
use crate::journal::{Hold, Store};
use crate::redact::Redactor;
use crate::release::{Release, ReleaseId};
use crate::rollout::{Effect, Event, Gate, Next, Outcome, Phase, Plan, Rollout, Stamp};
use crate::target::{Seen, Target};

/// Where nothing is left to undo, what failed is tried again: not at once, or three tries are one.
const BREATH: Duration = Duration::from_secs(1);

/// Who is told what happens, after it was written down.
pub(crate) trait Audience {
    fn event(&self, rollout: &Rollout, at: Stamp, event: &Event);

    /// What is seen meanwhile; several times a second, and not journaled.
    fn glimpse(&self, rollout: &Rollout, seen: &Seen, verdicts: &[Verdict], at: Stamp);
}

/// All that one rollout is walked with.
pub(crate) struct Engine<'a, T, S> {
    pub(crate) target: &'a T,
    pub(crate) store: &'a S,
    pub(crate) hold: &'a Hold,
    pub(crate) audience: &'a dyn Audience,
    pub(crate) clock: &'a dyn Fn() -> Stamp,
    pub(crate) interrupts: tokio::sync::watch::Receiver<Option<Interrupt>>,
    pub(crate) redactor: &'a Redactor,
    /// Whom gates ask that go by no metric of the edge.
    pub(crate) sources: &'a Sources,
    /// Whose process this is.
    pub(crate) who: String,
    /// Where this rollout's evidence goes; `None`: nothing that is written here stays.
    pub(crate) evidence: Option<PathBuf>,
    /// The rollout's number in the journal.
    pub(crate) number: u64,
    pub(crate) rollout: Rollout,
    pub(crate) noted: Noted,
    pub(crate) judging: Judging,
    pub(crate) kept: Kept,
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Writes these events down first, then walks to the rollout's end.
    ///
    /// # Errors
    /// [`Left`] when a person leaves it standing; `Fenced` when someone else took the lease; what
    /// the journal says when an event cannot be written down.
    pub(crate) async fn walk(&mut self, first: Vec<Event>) -> Result<Outcome> {
        for event in first {
            self.record(event).await?;
        }
        self.read_judged().await?;
        loop {
            match self.rollout.next() {
                Next::Run(effect) => {
                    let is_retried = self.rollout.phase() != Phase::Forward;
                    self.mark(&effect).await?;
                    let event = self.answer(&effect).await?;
                    self.keep_look().await?;
                    self.keep_counts(&event).await?;
                    let failed = matches!(event, Event::Failed(..));
                    self.record(event).await?;
                    if failed && is_retried {
                        sleep(BREATH).await;
                    }
                }
                Next::Finish(outcome) => {
                    self.record(Event::Finished(outcome.clone())).await?;
                    return Ok(outcome);
                }
            }
        }
    }

    /// What was counted at this weight goes with the window when the weight changes. Where it cannot
    /// be looked at, later steps judge by themselves: that costs time, and breaks no promise.
    async fn keep_counts(&mut self, event: &Event) -> Result<()> {
        let is_left = match event {
            Event::Done(Effect::Ask(Gate::Hold(_))) => true,
            Event::Approved(_) => matches!(self.rollout.gate(), Some((Gate::Hold(_), _))),
            _ => false,
        };
        if !is_left {
            return Ok(());
        }
        let mut spending = self.spending();
        let _ = self.read_spent(&mut spending).await;
        let seen = self.target.observe().await.ok();
        match seen.and_then(|seen| self.count(&seen, &spending)) {
            Some(counted) => self.record(Event::Counted(counted)).await,
            None => Ok(()),
        }
    }

    /// Written down, believed, shown.
    ///
    /// # Errors
    /// As [`Self::walk`].
    pub(crate) async fn record(&mut self, event: Event) -> Result<()> {
        let at = self.write(&event).await?;
        self.rollout.apply(at, event.clone())?;
        self.audience.event(&self.rollout, at, &event);
        Ok(())
    }

    async fn write(&self, event: &Event) -> Result<Stamp> {
        let at = (self.clock)();
        let payload = serde_json::to_value(event)?;
        self.store
            .append(self.hold, self.number, at.0, payload)
            .await
            .context("could not write the journal")?;
        Ok(at)
    }

    async fn release(&self, id: ReleaseId) -> Result<Release> {
        release(self.store, id).await
    }
}

/// A release as it was kept when it was first deployed.
pub(crate) async fn release<S: Store>(store: &S, id: ReleaseId) -> Result<Release> {
    let Some(bytes) = store.get(&document(id)).await? else {
        return Err(advice(
            format!("release {id} is not kept any more"),
            "agentctl history lists the releases; agentctl rollback --to names a later one",
        ));
    };
    serde_json::from_slice(&bytes).advise(
        format!("release {id} cannot be read"),
        "it may have been written by a newer agentctl: upgrade this one",
    )
}

/// The name that a release is kept under.
pub(crate) fn document(id: ReleaseId) -> String {
    id.document()
}

/// The name that the list of an image's packages is kept under; `digest` is `sha256:…`.
pub(crate) fn packages(digest: &str) -> String {
    let hash = digest.rsplit(':').next().unwrap_or(digest);
    format!("packages-{hash}.json")
}

/// A new rollout: its plan is the journal's first record.
pub(crate) async fn begin<S: Store>(
    store: &S,
    hold: &Hold,
    number: u64,
    at: Stamp,
    plan: Plan,
) -> Result<Rollout> {
    let event = Event::Planned(Box::new(plan.clone()));
    let rollout = Rollout::begin(at, plan)?;
    let payload = serde_json::to_value(event)?;
    store
        .append(hold, number, at.0, payload)
        .await
        .context("could not write the journal")?;
    Ok(rollout)
}
