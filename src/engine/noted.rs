//! What is seen while a gate is asked, journaled now and then: what a report shows.
//!
//! Invariants: how much is written grows with the logarithm of the time that a gate takes, and with
//! how often what it waits for is another; writing one down is never broken off, so no event can come twice; the last look is written before what
//! the gate came to.

use std::cell::RefCell;

use anyhow::Result;
use tokio::sync::Notify;

use super::Engine;
use crate::analysis::{Measures, Verdict};
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::{Event, Gate, Measured, Phase, Rollout, Stamp, Waits};
use crate::target::{Seen, Target};

/// Milliseconds between two that are written down at first; later a part of what has passed.
const OFTEN: u64 = 1_000;
const PART: u64 = 5;

/// The last look at the gate that is asked.
#[derive(Default)]
pub(crate) struct Noted {
    last: RefCell<Option<Measured>>,
    written: RefCell<Option<Written>>,
    due: Notify,
}

/// What was written down last.
#[derive(Clone, Copy)]
struct Written {
    /// The gate, by when it began to be asked.
    gate: Stamp,
    at: Stamp,
    waits: Option<Waits>,
}

impl Noted {
    /// Whether a person is asked, by the last look.
    pub(super) fn asks(&self, rollout: &Rollout, now: Stamp) -> bool {
        let last = self.last.borrow();
        let verdicts = last.as_ref().map_or(&[][..], |look| &look.verdicts);
        rollout.asks(verdicts, now).is_some()
    }

    pub(super) async fn due(&self) {
        self.due.notified().await;
    }

    fn see(&self, measured: Measured, seen: Written) {
        *self.last.borrow_mut() = Some(measured);
        let mut written = self.written.borrow_mut();
        if written.is_none_or(|before| before.is_followed_by(&seen)) {
            *written = Some(seen);
            self.due.notify_one();
        }
    }
}

impl Written {
    /// It is time for another, or whoever reads this one would be told wrong what is waited for.
    fn is_followed_by(&self, next: &Self) -> bool {
        let asked = next.at.0.saturating_sub(next.gate.0);
        let passed = next.at.0.saturating_sub(self.at.0);
        self.gate != next.gate || self.waits != next.waits || passed >= (asked / PART).max(OFTEN)
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) fn look(&self, seen: &Seen, verdicts: &[Verdict]) {
        let gate = self.rollout.gate();
        let Some((Gate::Hold(_) | Gate::Approve(_), since)) = gate else {
            return;
        };
        if self.rollout.phase() == Phase::Forward {
            let at = (self.clock)();
            let stands = self.rollout.stands(verdicts, at);
            let look = Written {
                gate: since,
                at,
                waits: stands.map(|(waits, _)| waits),
            };
            self.noted.see(self.measured(seen, verdicts), look);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_never_old() {
        let written = |gate, at, waits| Written {
            gate: Stamp(gate),
            at: Stamp(at),
            waits,
        };
        let before = written(0, 100_000, None);
        for (next, wanted) in [
            (written(0, 101_000, None), false),
            (written(0, 125_000, None), true),
            (written(0, 100_100, Some(Waits::Outage)), true),
            (written(100_050, 100_100, None), true),
        ] {
            assert_eq!(before.is_followed_by(&next), wanted);
        }
    }
}
