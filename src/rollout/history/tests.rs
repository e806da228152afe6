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
            by_itself: false,
            in_force: if took_over { Some(ReleaseId(to)) } else { from },
        }
    };
    History(rollouts.iter().enumerate().map(past).collect())
}

fn undone() -> Outcome {
    Outcome::RolledBack(Reason::new(Why::Gate, String::new()))
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

fn watched(rollouts: &[(u32, u32, bool)], by_itself: usize) -> History {
    let mut history = history(rollouts);
    history.0[by_itself].by_itself = true;
    history
}

#[test]
fn what_was_left_without_a_person_is_held_down_until_it_takes_over_again() {
    let left = [(0, 1, true), (1, 2, true), (2, 1, true)];
    assert!(watched(&left, 2).is_held_down(ReleaseId(2)));
    assert!(!watched(&left, 2).is_held_down(ReleaseId(1)));
    assert!(
        !history(&left).is_held_down(ReleaseId(2)),
        "a person went back"
    );
    let tried = [&left[..], &[(1, 2, false)]].concat();
    assert!(
        watched(&tried, 2).is_held_down(ReleaseId(2)),
        "it was undone again"
    );
    let again = [&left[..], &[(1, 2, true)]].concat();
    assert!(!watched(&again, 2).is_held_down(ReleaseId(2)));
}

#[test]
fn going_back_without_a_person_has_limits() {
    let rollback = |cooldown, max_per_hour| Rollback {
        auto: true,
        cooldown: crate::spec::Period::millis(cooldown),
        max_per_hour,
        ..Rollback::default()
    };
    let not = |says: &str| MayGoBack::Not(says.to_owned());
    let good = [(0, 1, true), (1, 2, true)];
    // The last of these ended at 50.
    let left = [
        (0, 1, true),
        (1, 2, true),
        (2, 3, true),
        (3, 2, true),
        (2, 4, true),
    ];
    let cases = [
        (
            history(&good),
            rollback(10, 3),
            100,
            MayGoBack::To(ReleaseId(1)),
        ),
        (
            history(&good[..1]),
            rollback(10, 3),
            100,
            not("there is no good release to go back to"),
        ),
        (
            watched(&left, 3),
            rollback(10, 3),
            100,
            MayGoBack::To(ReleaseId(2)),
        ),
        (
            watched(&left, 3),
            rollback(70, 3),
            100,
            not("one was undone less than 70ms ago (rollback.cooldown)"),
        ),
        (
            watched(&left, 3),
            rollback(10, 1),
            100,
            not("1 were undone within the last hour (rollback.max_per_hour)"),
        ),
        (
            watched(&left, 3),
            rollback(10, 1),
            HOUR + 100,
            MayGoBack::To(ReleaseId(2)),
        ),
        (
            history(&left),
            rollback(70, 1),
            100,
            MayGoBack::To(ReleaseId(2)),
        ),
    ];
    for (history, rollback, now, may) in cases {
        assert_eq!(history.may_go_back(&rollback, Stamp(now)), may);
    }
}

#[test]
fn with_auto_off_a_person_goes_back() {
    let good = [(0, 1, true), (1, 2, true)];
    let by_hand = Rollback {
        auto: false,
        ..Rollback::default()
    };
    assert_eq!(
        history(&good).may_go_back(&by_hand, Stamp(100)),
        MayGoBack::Not("rollback.auto is false: a person decides".to_owned())
    );
}
