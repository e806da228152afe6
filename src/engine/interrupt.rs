//! What comes in from outside while an effect runs: Ctrl-C, `agentctl abort` and `approve` from
//! elsewhere; and the heartbeat of the lease.

use std::cell::Cell;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::Engine;
use crate::journal::{Asked, HEARTBEAT, Store};
use crate::rollout::{Effect, Event, Gate, Phase};
use crate::target::Target;

/// A look for requests is one `stat`; a person notices nothing below a tenth of a second.
const LOOK: Duration = Duration::from_millis(20);

/// Requests of other processes.
pub(crate) const ABORT: &str = "abort";
pub(crate) const APPROVE: &str = "approve";

/// When the lease was last renewed; taking it counts.
pub(crate) struct Heart(Cell<Instant>);

impl Default for Heart {
    fn default() -> Self {
        Self(Cell::new(Instant::now()))
    }
}

/// What a person said with Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// Undo it.
    Abort,
    /// Leave it standing.
    Leave,
}

/// A person left the rollout standing.
#[derive(Debug)]
pub(crate) struct Left;

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("left standing")
    }
}

impl std::error::Error for Left {}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// The event that the effect leads to, or that breaks it off.
    pub(super) async fn answer(&self, effect: &Effect) -> Result<Event> {
        tokio::select! {
            biased;
            interruption = self.interruption(effect) => interruption,
            event = self.perform(effect) => Ok(event),
        }
    }

    async fn interruption(&self, effect: &Effect) -> Result<Event> {
        let mut interrupts = self.interrupts.clone();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(event) = self.said(*interrupts.borrow_and_update())? {
                return Ok(event);
            }
            tokio::select! {
                _ = look.tick() => {}
                Ok(()) = interrupts.changed() => continue,
            }
            if let Some(event) = self.asked(effect).await? {
                return Ok(event);
            }
            self.beat().await?;
        }
    }

    fn said(&self, interrupt: Option<Interrupt>) -> Result<Option<Event>> {
        match interrupt {
            Some(Interrupt::Leave) => Err(Left.into()),
            Some(Interrupt::Abort) if self.abortable() => {
                Ok(Some(Event::Aborted(self.who.clone())))
            }
            _ => Ok(None),
        }
    }

    async fn beat(&self) -> Result<()> {
        if self.heart.0.get().elapsed() >= HEARTBEAT {
            self.store.renew(self.hold, (self.clock)().0).await?;
            self.heart.0.set(Instant::now());
        }
        Ok(())
    }

    async fn asked(&self, effect: &Effect) -> Result<Option<Event>> {
        let asked = self.store.asked(self.hold, self.number).await?;
        Ok(asked
            .into_iter()
            .find_map(|asked| self.heard(asked, effect)))
    }

    fn abortable(&self) -> bool {
        self.rollout.phase() == Phase::Forward
    }

    /// A request that means nothing now is answered by doing nothing.
    fn heard(&self, asked: Asked, effect: &Effect) -> Option<Event> {
        match (asked.kind.as_str(), effect) {
            (ABORT, _) if self.abortable() => Some(Event::Aborted(asked.who)),
            (APPROVE, Effect::Ask(Gate::Approve(_))) => Some(Event::Approved(asked.who)),
            _ => None,
        }
    }
}
