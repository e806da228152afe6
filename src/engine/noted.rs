//! What is seen while a gate is asked, journaled now and then: what a report shows.
//!
//! Invariants: how much is written grows with the logarithm of the time that a gate takes; writing
//! one down is never broken off, so no event can come twice; the last look is written before what
//! the gate came to.

use std::cell::RefCell;

use anyhow::Result;
use tokio::sync::Notify;

use super::Engine;
use crate::analysis::{Measures, Verdict};
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::{Event, Gate, Measured, Phase, Stamp};
use crate::target::{Seen, Target};

/// Milliseconds between two that are written down at first; later a part of what has passed.
const OFTEN: u64 = 1_000;
const PART: u64 = 5;

/// The last look at the gate that is asked.
#[derive(Default)]
pub(crate) struct Noted {
    last: RefCell<Option<Measured>>,
    /// The gate, by when it began to be asked, and when it was last written down.
    written: RefCell<Option<(Stamp, Stamp)>>,
    due: Notify,
}

impl Noted {
    pub(super) async fn due(&self) {
        self.due.notified().await;
    }

    fn see(&self, measured: Measured, since: Stamp, now: Stamp) {
        *self.last.borrow_mut() = Some(measured);
        let mut written = self.written.borrow_mut();
        let before = written.filter(|(gate, _)| *gate == since);
        if before.is_none_or(|(_, last)| is_due(since, last, now)) {
            *written = Some((since, now));
            self.due.notify_one();
        }
    }
}

fn is_due(since: Stamp, last: Stamp, now: Stamp) -> bool {
    let pause = (now.0.saturating_sub(since.0) / PART).max(OFTEN);
    now.0.saturating_sub(last.0) >= pause
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) fn look(&self, seen: &Seen, verdicts: &[Verdict]) {
        let gate = self.rollout.gate();
        let Some((Gate::Hold(_) | Gate::Approve(_), since)) = gate else {
            return;
        };
        if self.rollout.phase() == Phase::Forward {
            let measured = self.measured(seen, verdicts);
            self.noted.see(measured, since, (self.clock)());
        }
    }

    fn measured(&self, seen: &Seen, verdicts: &[Verdict]) -> Measured {
        let plan = self.rollout.plan();
        let window = |id: ReleaseId| seen.window(id).cloned();
        Measured {
            row: self.rollout.row(),
            weight: self.rollout.step().weight,
            stable: plan.stable().and_then(window),
            candidate: window(plan.to),
            verdicts: verdicts.to_vec(),
        }
    }

    /// It changes nothing that is believed, so it is only written down and shown.
    pub(super) async fn note_look(&self) -> Result<()> {
        let last = self.noted.last.borrow().clone();
        match last {
            Some(last) => self.note(in_short(last)).await,
            None => Ok(()),
        }
    }

    /// When the gate is no longer asked: all that was seen of it.
    pub(super) async fn keep_look(&self) -> Result<()> {
        let last = self.noted.last.take();
        match last {
            Some(last) => self.note(last).await,
            None => Ok(()),
        }
    }

    async fn note(&self, measured: Measured) -> Result<()> {
        let event = Event::Measured(Box::new(measured));
        let at = self.write(&event).await?;
        self.audience.event(&self.rollout, at, &event);
        Ok(())
    }
}

fn in_short(measured: Measured) -> Measured {
    Measured {
        stable: measured.stable.map(Measures::in_short),
        candidate: measured.candidate.map(Measures::in_short),
        ..measured
    }
}
