//! What all rollouts of an agent together say: which release is in force, and which one was good.

use super::event::{Outcome, Stamp, Why};
use super::state::{Phase, Rollout};
use crate::release::ReleaseId;

/// All rollouts of one agent, oldest first.
pub(crate) struct History<'a>(Vec<&'a Rollout>);

impl<'a> History<'a> {
    pub(crate) fn new(rollouts: impl IntoIterator<Item = &'a Rollout>) -> Self {
        Self(rollouts.into_iter().collect())
    }

    /// The release in force: the last one that took over.
    pub(crate) fn stable(&self) -> Option<ReleaseId> {
        self.took_over().last().map(|rollout| rollout.plan().to)
    }

    /// The last release before the one in force that took over and that nobody went back from.
    pub(crate) fn last_good(&self) -> Option<ReleaseId> {
        let stable = self.stable();
        let mut good: Vec<ReleaseId> = Vec::new();
        for rollout in self.took_over() {
            let plan = rollout.plan();
            let left = plan.from.filter(|from| plan.to < *from);
            good.retain(|release| Some(*release) != left && *release != plan.to);
            good.push(plan.to);
        }
        good.into_iter().rev().find(|release| Some(*release) != stable)
    }

    /// Rollouts that a failure undid at this time or later.
    pub(crate) fn undone_since(&self, at: Stamp) -> u32 {
        let undone = self.0.iter().filter_map(|rollout| undone(rollout));
        undone.filter(|undone| *undone >= at).count() as u32
    }

    /// When the last rollout to this release was undone by a failure, if that was how it ended.
    pub(crate) fn undone(&self, release: ReleaseId) -> Option<Stamp> {
        let last = self.0.iter().rfind(|rollout| rollout.plan().to == release);
        last.and_then(|rollout| undone(rollout))
    }

    fn took_over(&self) -> impl Iterator<Item = &&'a Rollout> {
        self.0.iter().filter(|rollout| took_over(rollout))
    }
}

/// From the clean-up on its release is the one in force, whatever became of the old one.
fn took_over(rollout: &Rollout) -> bool {
    match rollout.outcome() {
        Some(Outcome::Completed) => true,
        Some(Outcome::RolledBack(_)) => false,
        Some(Outcome::Stalled(_)) | None => rollout.phase() == Phase::CleaningUp,
    }
}

/// A person's own abort is no failure.
fn undone(rollout: &Rollout) -> Option<Stamp> {
    match rollout.outcome() {
        Some(Outcome::RolledBack(reason)) if reason.why != Why::Aborted => rollout.finished(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{Event, Plan, Reason};
    use crate::rollout::tables::tests::plan;

    /// How one rollout in a story ended.
    #[derive(Clone, Copy)]
    enum End {
        Completed,
        Undone,
        Aborted,
    }

    fn rollout(at: u64, from: u32, to: u32, end: End) -> Rollout {
        let from = (from > 0).then_some(ReleaseId(from));
        let plan = Plan {
            from,
            to: ReleaseId(to),
            ..plan()
        };
        let why = |why| {
            Outcome::RolledBack(Reason {
                why,
                says: String::new(),
                lines: Vec::new(),
                evidence: None,
            })
        };
        let outcome = match end {
            End::Completed => Outcome::Completed,
            End::Undone => why(Why::Gate),
            End::Aborted => why(Why::Aborted),
        };
        let planned = Event::Planned(Box::new(plan));
        let events = [planned, Event::Finished(outcome)];
        Rollout::replay(events.map(|event| (Stamp(at), event))).unwrap()
    }

    #[test]
    fn stable_and_last_good() {
        use End::{Aborted, Completed, Undone};
        type Story = &'static [(u32, u32, End)];
        let stories: [(&str, Story, Option<u32>, Option<u32>); 8] = [
            ("nothing", &[], None, None),
            ("a first deploy", &[(0, 1, Completed)], Some(1), None),
            ("a failed first deploy", &[(0, 1, Undone)], None, None),
            ("two", &[(0, 1, Completed), (1, 2, Completed)], Some(2), Some(1)),
            ("the second undone", &[(0, 1, Completed), (1, 2, Undone)], Some(1), None),
            (
                "gone back",
                &[(0, 1, Completed), (1, 2, Completed), (2, 1, Completed)],
                Some(1),
                None,
            ),
            (
                "gone back, then on",
                &[
                    (0, 1, Completed),
                    (1, 2, Completed),
                    (2, 1, Completed),
                    (1, 3, Completed),
                ],
                Some(3),
                Some(1),
            ),
            (
                "aborted",
                &[(0, 1, Completed), (1, 2, Completed), (2, 3, Aborted)],
                Some(2),
                Some(1),
            ),
        ];
        for (name, story, stable, good) in stories {
            let rollouts: Vec<Rollout> =
                story.iter().map(|(from, to, end)| rollout(0, *from, *to, *end)).collect();
            let history = History::new(&rollouts);
            assert_eq!(history.stable(), stable.map(ReleaseId), "{name}");
            assert_eq!(history.last_good(), good.map(ReleaseId), "{name}");
        }
    }

    #[test]
    fn undone_counts_failures_alone() {
        let rollouts = [
            rollout(10, 1, 2, End::Undone),
            rollout(20, 1, 3, End::Aborted),
            rollout(30, 1, 4, End::Undone),
            rollout(40, 1, 4, End::Completed),
        ];
        let history = History::new(&rollouts);
        assert_eq!(history.undone_since(Stamp(10)), 2);
        assert_eq!(history.undone_since(Stamp(11)), 1);
        assert_eq!(history.undone(ReleaseId(2)), Some(Stamp(10)));
        assert_eq!(history.undone(ReleaseId(3)), None);
        assert_eq!(history.undone(ReleaseId(4)), None);
    }
}
