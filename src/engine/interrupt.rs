//! What comes in from outside while an effect runs: Ctrl-C, and `agentctl abort`, `approve` and
//! `promote` from elsewhere.

use std::pin::pin;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use super::Engine;
use crate::journal::{Asked, Store};
use crate::rollout::{Effect, Event, Phase};
use crate::target::Target;

/// A look for requests is one `stat`; a person notices nothing below a tenth of a second.
const LOOK: Duration = Duration::from_millis(20);

/// Requests of other processes.
pub(crate) const ABORT: &str = "abort";
pub(crate) const APPROVE: &str = "approve";
pub(crate) const KEEP: &str = "keep";

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

/// The answer; what is due meanwhile is noted beside it, and ended before it, because once begun it is
/// not broken off.
async fn noting<T>(
    answer: impl Future<Output = Result<T>>,
    due: impl AsyncFn(),
    note: impl AsyncFn() -> Result<()>,
) -> Result<T> {
    let mut answer = pin!(answer);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = due() => {}
        }
        let mut noted = pin!(note());
        tokio::select! {
            biased;
            noted = &mut noted => noted?,
            // It may hold what the note waits for, the way to a host say.
            answer = &mut answer => {
                noted.await?;
                return answer;
            }
        }
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// The event that the effect leads to, or that breaks it off.
    pub(super) async fn answer(&self, effect: &Effect) -> Result<Event> {
        let answer = self.first_answer(effect);
        noting(answer, || self.noted.due(), || self.note_look()).await
    }

    async fn first_answer(&self, effect: &Effect) -> Result<Event> {
        tokio::select! {
            biased;
            interruption = self.interruption() => interruption,
            event = self.perform(effect) => Ok(event),
        }
    }

    async fn interruption(&self) -> Result<Event> {
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
            if let Some(event) = self.asked().await? {
                return Ok(event);
            }
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

    async fn asked(&self) -> Result<Option<Event>> {
        let asked = self.store.asked(self.hold, self.number).await?;
        Ok(asked.into_iter().find_map(|asked| self.heard(asked)))
    }

    fn waits_for_approval(&self) -> bool {
        self.noted.asks(&self.rollout, (self.clock)())
    }

    fn abortable(&self) -> bool {
        self.rollout.phase() == Phase::Forward
    }

    /// A request that means nothing now is answered by doing nothing.
    fn heard(&self, asked: Asked) -> Option<Event> {
        match asked.kind.as_str() {
            ABORT if self.abortable() => Some(Event::Aborted(asked.who)),
            KEEP if self.abortable() && self.rollout.is_test() => Some(Event::Kept(asked.who)),
            APPROVE if self.waits_for_approval() => Some(Event::Approved(asked.who)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Mutex;
    use tokio::time::{sleep, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_note_may_wait_for_what_the_answer_holds() {
        let second = Duration::from_secs(1);
        let way = Mutex::new(());
        let answer = async {
            let _held = way.lock().await;
            sleep(second * 3).await;
            anyhow::Ok(7)
        };
        let note = async || {
            let _held = way.lock().await;
            Ok(())
        };
        let noted = noting(answer, || sleep(second), note);
        assert_eq!(timeout(second * 60, noted).await.unwrap().unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_note_that_has_begun_is_ended() {
        let second = Duration::from_secs(1);
        let noted = Mutex::new(0);
        let answer = async {
            sleep(second * 3).await;
            anyhow::Ok(())
        };
        let note = async || {
            sleep(second * 5).await;
            *noted.lock().await += 1;
            Ok(())
        };
        noting(answer, || sleep(second), note).await.unwrap();
        assert_eq!(noted.into_inner(), 1);
    }
}
