//! Looking again and again, until Ctrl-C.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::look::Look;
use super::{Exit, Followed, Scaler};
use crate::spec::Period;

/// Heard from the first look on: one that comes during a rollout undoes that, and ends this too.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("could not listen for SIGTERM")?,
        })
    }

    async fn said(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Scaler<'_> {
    pub(super) async fn watch(&mut self, every: Period) -> Result<Exit> {
        let mut stop = Stop::new()?;
        // So that the same is not said twice.
        let mut told = None;
        loop {
            let work = tokio::select! {
                work = self.ask() => work,
                () = stop.said() => return Ok(Exit::Done),
            };
            let followed = match work {
                Ok(work) => self.follow(&work).await,
                Err(error) => Err(error),
            };
            self.tell(followed, &mut told);
            tokio::select! {
                () = sleep(every.get()) => {}
                () = stop.said() => return Ok(Exit::Done),
            }
        }
    }

    fn tell(&mut self, followed: Result<Followed>, told: &mut Option<Look>) {
        let look = match followed {
            Ok(Followed::Told(look)) => Some(look),
            Ok(Followed::Walked(_)) => None,
            Err(error) => Some(Look::Busy(format!("{error:#}"))),
        };
        let is_news = |look: &&Look| told.as_ref().is_none_or(|told| !told.is_like(look));
        if let Some(look) = look.as_ref().filter(is_news) {
            let (outcome, says) = (look.outcome(), look.says());
            self.shown.decision(outcome, &says, look.as_json());
        }
        *told = look;
    }
}
