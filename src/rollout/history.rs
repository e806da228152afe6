//! What past rollouts came to: the release in force, the one to go back to, and what was undone
//! lately. A fold over rollouts in the order in which they began.

use super::event::{Outcome, Stamp, Why};
use super::state::{Phase, Rollout};
use crate::release::ReleaseId;
use crate::spec::Strategy;

/// One rollout as a row of `history`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Past {
    pub(crate) number: u64,
    pub(crate) strategy: Strategy,
    /// The same as `to` where only the replica count changed.
    pub(crate) from: Option<ReleaseId>,
    pub(crate) to: ReleaseId,
    pub(crate) started: Stamp,
    pub(crate) finished: Option<Stamp>,
    /// `None`: not ended yet, or its process died.
    pub(crate) outcome: Option<Outcome>,
    /// The release that an undo, or the next rollout, begins from.
    pub(crate) in_force: Option<ReleaseId>,
}

/// Oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History(pub(crate) Vec<Past>);

impl Past {
    pub(crate) fn of(number: u64, rollout: &Rollout) -> Self {
        let plan = rollout.plan();
        Self {
            number,
            strategy: plan.strategy,
            from: plan.from,
            to: plan.to,
            started: rollout.started(),
            finished: rollout.finished(),
            outcome: rollout.outcome().cloned(),
            in_force: match rollout.phase() {
                // The old release may be gone already, whatever came of it.
                Phase::CleaningUp => Some(plan.to),
                Phase::Forward | Phase::Undoing(_) => plan.from,
            },
        }
    }

    fn is_scale(&self) -> bool {
        self.from == Some(self.to)
    }

    fn took_over(&self) -> bool {
        self.in_force == Some(self.to) && !self.is_scale()
    }

    /// Releases are numbered in the order in which they were made.
    fn went_back(&self) -> bool {
        self.from.is_some_and(|from| self.to < from)
    }

    /// By a failure: a person who aborts has a reason of their own.
    fn was_undone(&self) -> bool {
        match &self.outcome {
            Some(Outcome::RolledBack(reason)) => reason.why != Why::Aborted && !self.is_scale(),
            _ => false,
        }
    }
}

impl History {
    /// The release in force.
    pub(crate) fn stable(&self) -> Option<ReleaseId> {
        self.0.last().and_then(|past| past.in_force)
    }

    /// Where `rollback` goes without being told: the last release in force before this one that
    /// nobody went back from.
    pub(crate) fn last_good(&self) -> Option<ReleaseId> {
        let mut good = Vec::new();
        for past in self.0.iter().filter(|past| past.took_over()) {
            let left = past.from.filter(|_| past.went_back());
            good.retain(|release| Some(*release) != left && *release != past.to);
            good.push(past.to);
        }
        let stable = self.stable();
        good.into_iter()
            .rev()
            .find(|release| Some(*release) != stable)
    }

    /// How many rollouts were undone at or after this moment.
    pub(crate) fn undone_since(&self, since: Stamp) -> usize {
        let undone = self.0.iter().filter(|past| past.was_undone());
        undone.filter(|past| past.finished >= Some(since)).count()
    }

    /// When this release was undone last.
    pub(crate) fn undone(&self, release: ReleaseId) -> Option<Stamp> {
        let undone = self.0.iter().filter(|past| past.was_undone());
        let of_this = undone.filter(|past| past.to == release);
        of_this.filter_map(|past| past.finished).max()
    }
}

#[cfg(test)]
mod tests;
