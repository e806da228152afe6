//! How a row of checks makes a replica ready, unready or sick. Pure.

use std::time::Duration;

use crate::edge::api::{Health, Standing};

/// The outcome of one look at a replica; failures say why.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) ready: Result<(), String>,
    pub(super) live: Result<(), String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::edge) enum Verdict {
    /// As before.
    Same,
    Ready,
    /// Not ready, and why.
    Unready(String),
    /// Not alive any more, and why: it has to be started again.
    Sick(String),
}

#[derive(Debug)]
pub(super) struct Course {
    standing: Standing,
    not_ready: u32,
    not_live: u32,
}

const FASTEST: Duration = Duration::from_millis(5);
const SLOWEST_START: Duration = Duration::from_millis(100);
const SLOWEST_RETURN: Duration = Duration::from_secs(1);

impl Course {
    pub(super) fn new(standing: Standing) -> Course {
        Course {
            standing,
            not_ready: 0,
            not_live: 0,
        }
    }

    /// Something else tells that it is not ready: it has to show that it is.
    pub(super) fn doubt(&mut self) {
        self.standing = Standing::Unready;
    }

    /// `age`: since the process was started.
    pub(super) fn judge(&mut self, health: &Health, age: Duration, look: Look) -> Verdict {
        match look.live {
            Ok(()) => self.not_live = 0,
            Err(why) if self.not_live + 1 >= health.failures => return Verdict::Sick(why),
            Err(_) => self.not_live += 1,
        }
        match (look.ready, self.standing) {
            (Ok(()), _) => self.passed(),
            (Err(why), Standing::Coming) => self.still_coming(health, age, &why),
            (Err(why), Standing::Ready) => self.failed(health, why),
            (Err(why), _) => Verdict::Unready(why),
        }
    }

    fn passed(&mut self) -> Verdict {
        self.not_ready = 0;
        match std::mem::replace(&mut self.standing, Standing::Ready) {
            Standing::Ready => Verdict::Same,
            _ => Verdict::Ready,
        }
    }

    fn still_coming(&mut self, health: &Health, age: Duration, why: &str) -> Verdict {
        let within = Duration::from_millis(health.startup_within);
        if age < within {
            return Verdict::Same;
        }
        self.standing = Standing::Unready;
        Verdict::Unready(format!(
            "not ready within {}: {why}",
            humantime::format_duration(within)
        ))
    }

    fn failed(&mut self, health: &Health, why: String) -> Verdict {
        self.not_ready += 1;
        if self.not_ready < health.failures {
            return Verdict::Same;
        }
        self.standing = Standing::Unready;
        Verdict::Unready(why)
    }

    /// How long until the next look. While it is not ready, a fiftieth of the time that it has
    /// not been: readiness is seen early when it is early, and a slow start is not hammered.
    pub(super) fn pause(&self, health: &Health, unready_for: Duration) -> Duration {
        let every = Duration::from_millis(health.every);
        let share = (unready_for / 50).max(FASTEST);
        match self.standing {
            Standing::Coming => share.min(SLOWEST_START).min(every),
            Standing::Ready => every,
            _ => share.min(SLOWEST_RETURN).min(every),
        }
    }
}

#[cfg(test)]
mod tests;
