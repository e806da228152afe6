use super::*;
use crate::rollout::{Reason, Why};

/// `(from, to, whether it took over)`, at 10, 20, 30, …
fn history(rollouts: &[(u32, u32, bool)]) -> History {
    let past = |(at, &(from, to, took_over)): (usize, &(u32, u32, bool))| {
        let at = 10 * (at as u64 + 1);
        let from = (from > 0).then_some(ReleaseId(from));
        Past {
            number: at / 10,
            strategy: Strategy::Rolling,
            from,
            to: ReleaseId(to),
            started: Stamp(at),
            finished: Some(Stamp(at)),
            outcome: Some(if took_over {
                Outcome::Completed
            } else {
                undone()
            }),
            in_force: if took_over { Some(ReleaseId(to)) } else { from },
        }
    };
    History(rollouts.iter().enumerate().map(past).collect())
}

fn undone() -> Outcome {
    Outcome::RolledBack(Reason {
        lines: Vec::new(),
        why: Why::Gate,
        says: String::new(),
        evidence: None,
    })
}

#[test]
fn the_release_in_force_and_the_one_to_go_back_to() {
    for (rollouts, stable, last_good) in [
        (&[][..], None, None),
        (&[(0, 1, false)], None, None),
        (&[(0, 1, true)], Some(1), None),
        (&[(0, 1, true), (1, 2, true)], Some(2), Some(1)),
        (&[(0, 1, true), (1, 2, false)], Some(1), None),
        (
            &[(0, 1, true), (1, 2, true), (2, 2, true)],
            Some(2),
            Some(1),
        ),
        (
            &[(0, 1, true), (1, 2, true), (2, 3, true), (3, 2, true)],
            Some(2),
            Some(1),
        ),
        (
            &[(0, 1, true), (1, 2, true), (2, 1, true), (1, 3, true)],
            Some(3),
            Some(1),
        ),
        (
            &[(0, 1, true), (1, 2, true), (2, 1, true), (1, 2, true)],
            Some(2),
            Some(1),
        ),
    ] {
        let history = history(rollouts);
        assert_eq!(history.stable(), stable.map(ReleaseId), "{rollouts:?}");
        assert_eq!(
            history.last_good(),
            last_good.map(ReleaseId),
            "{rollouts:?}"
        );
    }
}

#[test]
fn what_was_undone_and_when() {
    let history = history(&[
        (0, 1, true),
        (1, 2, false),
        (1, 2, false),
        (1, 3, false),
        (1, 1, false),
    ]);
    assert_eq!(history.undone_since(Stamp(0)), 3);
    assert_eq!(history.undone_since(Stamp(30)), 2);
    assert_eq!(history.undone_since(Stamp(41)), 0);
    assert_eq!(history.undone(ReleaseId(2)), Some(Stamp(30)));
    assert_eq!(history.undone(ReleaseId(1)), None);
}
