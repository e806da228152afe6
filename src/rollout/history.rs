//! What past rollouts came to: the release in force, the one to go back to, and what was undone
//! lately. A fold over rollouts in the order in which they began.

use super::event::{Outcome, Stamp, Why};
use super::state::{Phase, Rollout};
use crate::release::ReleaseId;
use crate::spec::{Rollback, Strategy};

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
    /// No person made it begin.
    pub(crate) by_itself: bool,
    /// The release that an undo, or the next rollout, begins from.
    pub(crate) in_force: Option<ReleaseId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MayGoBack {
    To(ReleaseId),
    /// In words, to stand behind "but".
    Not(String),
}

/// In milliseconds.
const HOUR: u64 = 3_600_000;

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
            by_itself: plan.because.is_some(),
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

    /// The release that a failure took traffic from: a person who aborts or goes back has a reason
    /// of their own.
    fn undone(&self) -> Option<ReleaseId> {
        match &self.outcome {
            Some(Outcome::RolledBack(reason)) => {
                let by_person = matches!(reason.why, Why::Aborted | Why::Kept);
                (!by_person && !self.is_scale()).then_some(self.to)
            }
            Some(Outcome::Completed) => self.left(),
            _ => None,
        }
    }

    /// What it went back from by itself.
    fn left(&self) -> Option<ReleaseId> {
        let is_done = self.outcome == Some(Outcome::Completed);
        self.from
            .filter(|_| is_done && self.by_itself && self.went_back())
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
        let undone = self.0.iter().filter(|past| past.undone().is_some());
        undone.filter(|past| past.finished >= Some(since)).count()
    }

    /// When this release was undone last.
    pub(crate) fn undone(&self, release: ReleaseId) -> Option<Stamp> {
        let of_this = self.0.iter().filter(|past| past.undone() == Some(release));
        of_this.filter_map(|past| past.finished).max()
    }

    /// Whether this release was gone back from without a person, and did not take over again since.
    pub(crate) fn is_held_down(&self, release: ReleaseId) -> bool {
        let about =
            |past: &&Past| past.left() == Some(release) || (past.took_over() && past.to == release);
        let last = self.0.iter().rfind(about);
        last.is_some_and(|past| past.left() == Some(release))
    }

    /// Whether the release in force may be gone back from without a person.
    pub(crate) fn may_go_back(&self, rollback: &Rollback, now: Stamp) -> MayGoBack {
        let ago = |period: u64| Stamp(now.0.saturating_sub(period));
        let most = rollback.max_per_hour;
        let cooldown = rollback.cooldown;
        if !rollback.auto {
            return MayGoBack::Not("rollback.auto is false: a person decides".to_owned());
        }
        if self.undone_since(ago(HOUR)) >= most as usize {
            return MayGoBack::Not(format!(
                "{most} were undone within the last hour (rollback.max_per_hour)"
            ));
        }
        if !cooldown.is_zero() && self.undone_since(ago(cooldown.as_millis())) > 0 {
            return MayGoBack::Not(format!(
                "one was undone less than {cooldown} ago (rollback.cooldown)"
            ));
        }
        match self.last_good() {
            Some(release) => MayGoBack::To(release),
            None => MayGoBack::Not("there is no good release to go back to".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
