use std::process::ExitCode;

use crate::advice::with_hint;
use crate::edge::client::Refused;
use crate::engine::Left;
use crate::journal::{Fenced, Held};
use crate::rollout::Outcome;

/// How agentctl ends; the numbers are part of what it promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Undone = 1,
    WrongInput = 2,
    Stalled = 3,
    Held = 4,
}

impl Exit {
    pub(crate) fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::Done,
            Outcome::RolledBack(_) => Self::Undone,
            Outcome::Stalled(_) => Self::Stalled,
        }
    }

    /// An undo that was asked for is done when it is undone.
    pub(crate) fn of_undo(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::RolledBack(_) => Self::Done,
            Outcome::Completed => Self::Undone,
            Outcome::Stalled(_) => Self::Stalled,
        }
    }

    pub(crate) fn of_error(error: &anyhow::Error) -> Self {
        match error {
            held if held.is::<Held>() || held.is::<Fenced>() || is_stale(held) => Self::Held,
            left if left.is::<Left>() || left.is::<Standing>() => Self::Stalled,
            _ => Self::WrongInput,
        }
    }
}

/// The edge takes orders of a later holder.
fn is_stale(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<Refused>()
        .is_some_and(Refused::is_stale)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Something broke after a rollout had begun: it stands where it was.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) rollout: u64,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rollout {} was left standing", self.rollout)
    }
}

impl std::error::Error for Standing {}

pub(crate) fn left_standing(error: anyhow::Error, number: u64, next: &str) -> anyhow::Error {
    with_hint(error.context(Standing { rollout: number }), next)
}
