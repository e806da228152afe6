use proptest::prelude::*;

use super::*;

const MINUTE: u64 = 60_000;
/// Long after the epoch, and long after any change.
const NOW: u64 = 1_000 * MINUTE;

fn scale() -> Scale {
    Scale {
        min: 2,
        max: 8,
        ..Scale::default()
    }
}

fn work(amount: f64) -> Vec<Work> {
    vec![Work {
        name: "jobs".to_owned(),
        amount,
        each: 10.0,
    }]
}

fn moment(live: u32, work: &[Work]) -> Moment<'_> {
    Moment {
        now: NOW,
        clock: "2026-11-21T12:00".parse().unwrap(),
        live,
        changed: None,
        less: None,
        work,
    }
}

fn less(minutes: u64, most: u32) -> Option<Less> {
    let since = NOW - minutes * MINUTE;
    Some(Less { since, most })
}

/// (amount, live, minutes since a change, less) → (turn, replicas, says)
type Case = (
    (f64, u32, Option<u64>, Option<Less>),
    (Turn, u32, &'static str),
);

#[track_caller]
fn decided(cases: &[Case]) {
    for ((amount, live, changed, less), (turn, replicas, says)) in cases {
        let work = work(*amount);
        let moment = Moment {
            changed: changed.map(|minutes| NOW - minutes * MINUTE),
            less: *less,
            ..moment(*live, &work)
        };
        let decision = decide(&scale(), &moment);
        let found = (decision.turn, decision.replicas, decision.says.as_str());
        assert_eq!(found, (*turn, *replicas, *says), "{amount} for {live}");
        assert_eq!(decision.because, format!("jobs {amount}, 10 for each"));
    }
}

#[test]
fn more_at_once() {
    let cools = "2 → 8 replicas in 1m (scale.cooldown)";
    decided(&[
        ((0.0, 2, None, None), (Turn::Keep, 2, "2 replicas stay")),
        ((20.0, 2, None, None), (Turn::Keep, 2, "2 replicas stay")),
        ((20.1, 2, None, None), (Turn::Up, 3, "2 → 3 replicas")),
        ((75.0, 2, None, None), (Turn::Up, 8, "2 → 8 replicas")),
        ((1e12, 2, None, None), (Turn::Up, 8, "2 → 8 replicas")),
        ((75.0, 2, Some(2), None), (Turn::Up, 8, "2 → 8 replicas")),
        ((75.0, 2, Some(0), None), (Turn::Wait, 2, cools)),
        // Below the bounds no cooldown holds, and above them neither.
        ((0.0, 1, Some(0), None), (Turn::Up, 2, "1 → 2 replicas")),
        ((0.0, 9, Some(0), None), (Turn::Down, 8, "9 → 8 replicas")),
    ]);
}

#[test]
fn fewer_after_a_while() {
    let fresh = "4 → 3 replicas in 5m (scale.down_after)";
    let soon = "4 → 3 replicas in 1m (scale.down_after)";
    let cools = "4 → 2 replicas in 1m (scale.cooldown)";
    let anew = "4 → 2 replicas in 5m (scale.down_after)";
    decided(&[
        // Three would have 9 each, more than 80 % of 10.
        ((27.0, 4, None, None), (Turn::Keep, 4, "4 replicas stay")),
        ((24.0, 4, None, None), (Turn::Wait, 4, fresh)),
        ((0.0, 4, None, less(4, 3)), (Turn::Wait, 4, soon)),
        (
            (0.0, 4, None, less(5, 3)),
            (Turn::Down, 3, "4 → 3 replicas"),
        ),
        (
            (0.0, 4, None, less(9, 2)),
            (Turn::Down, 2, "4 → 2 replicas"),
        ),
        ((0.0, 4, Some(0), less(5, 2)), (Turn::Wait, 4, cools)),
        // From a time when there were more.
        ((0.0, 4, None, less(9, 4)), (Turn::Wait, 4, anew)),
    ]);
}

#[test]
fn the_most_work_of_all_counts() {
    let mut all = work(10.0);
    all.extend(work(45.0));
    assert_eq!(decide(&scale(), &moment(2, &all)).replicas, 5);
}

#[test]
fn none_while_nothing_waits() {
    for min in [0, 2] {
        let scale = Scale {
            min,
            idle_to_zero: true,
            ..scale()
        };
        let none = work(0.0);
        let idle = Moment {
            less: less(5, 0),
            ..moment(3, &none)
        };
        assert_eq!(decide(&scale, &idle).replicas, 0);
        // The first to come waits for no cooldown.
        let some = work(0.5);
        let woken = Moment {
            changed: Some(NOW),
            ..moment(0, &some)
        };
        assert_eq!(decide(&scale, &woken).replicas, min.max(1));
    }
}

fn window(from: &str, to: &str, replicas: u32) -> Window {
    Window {
        from: from.to_owned(),
        to: to.to_owned(),
        replicas,
    }
}

#[test]
fn windows_are_a_floor() {
    let day = window("0 8 * * *", "0 18 * * *", 5);
    let open = Scale {
        schedule: vec![day],
        ..scale()
    };
    let cases = [("12:00", 0.0, 5), ("12:00", 65.0, 7), ("20:00", 0.0, 2)];
    for (time, amount, replicas) in cases {
        let work = work(amount);
        let clock = format!("2026-11-21T{time}").parse().unwrap();
        let moment = Moment {
            clock,
            ..moment(1, &work)
        };
        assert_eq!(decide(&open, &moment).replicas, replicas, "{time}");
    }
}

#[test]
fn a_rest_has_fewer() {
    let night = window("0 22 * * *", "0 6 * * *", 0);
    let resting = Scale {
        schedule: vec![night],
        idle_to_zero: true,
        ..scale()
    };
    // (time, amount, replicas)
    let cases = [("23:00", 0.0, 0), ("23:00", 1.0, 1), ("12:00", 0.0, 2)];
    for (time, amount, replicas) in cases {
        let work = work(amount);
        let clock = format!("2026-11-21T{time}").parse().unwrap();
        let moment = Moment {
            clock,
            less: less(5, 0),
            ..moment(if amount > 0.0 { 0 } else { 2 }, &work)
        };
        assert_eq!(decide(&resting, &moment).replicas, replicas, "{time}");
    }
}

/// Looks again and again, and does what is decided.
fn run(scale: &Scale, live: u32, every: u64, amounts: &[f64]) -> Vec<(u64, u32)> {
    let mut changes = vec![];
    let (mut live, mut changed, mut less, mut now) = (live, None, None, NOW);
    for amount in amounts {
        let work = work(*amount);
        let decision = decide(
            scale,
            &Moment {
                now,
                changed,
                less,
                ..moment(live, &work)
            },
        );
        if decision.replicas != live {
            (live, changed) = (decision.replicas, Some(now));
            changes.push((now, live));
        }
        less = decision.less;
        now += every;
    }
    changes
}

fn any_scale() -> impl Strategy<Value = Scale> {
    let parts = (
        0..4_u32,
        1..9_u32,
        1..=100_u32,
        0..300_u64,
        0..600_u64,
        any::<bool>(),
    );
    parts.prop_map(|(min, more, down_at, cooldown, down_after, idle)| Scale {
        min,
        max: min + more,
        down_at,
        cooldown: Period::secs(cooldown),
        down_after: Period::secs(down_after),
        idle_to_zero: idle || min == 0,
        ..Scale::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn never_outside_the_bounds(
        scale in any_scale(),
        live in 0..20_u32,
        every in 1..400_000_u64,
        amounts in proptest::collection::vec(0.0..200.0_f64, 1..60),
    ) {
        let least = if scale.idle_to_zero { 0 } else { scale.min };
        for (_, replicas) in run(&scale, live, every, &amounts) {
            prop_assert!((least..=scale.max).contains(&replicas));
        }
    }

    #[test]
    fn the_same_depth_changes_the_number_once(
        scale in any_scale(),
        live in 0..20_u32,
        every in 1..400_000_u64,
        amount in 0.0..200.0_f64,
    ) {
        let live = live.min(scale.max);
        prop_assert!(run(&scale, live, every, &[amount; 60]).len() <= 1);
    }

    #[test]
    fn between_changes_lies_the_cooldown(
        scale in any_scale(),
        live in 1..9_u32,
        every in 1..100_000_u64,
        amounts in proptest::collection::vec(10.0..200.0_f64, 1..60),
    ) {
        let scale = Scale { min: 1, ..scale };
        let changes = run(&scale, live.min(scale.max), every, &amounts);
        for pair in changes.windows(2) {
            prop_assert!(pair[1].0 - pair[0].0 >= scale.cooldown.as_millis());
        }
    }

    #[test]
    fn fewer_only_after_less_has_lasted(
        scale in any_scale(),
        every in 1..100_000_u64,
        amounts in proptest::collection::vec(0.0..200.0_f64, 1..60),
    ) {
        let changes = run(&scale, scale.max, every, &amounts);
        if let Some((at, _)) = changes.first() {
            prop_assert!(at - NOW >= scale.down_after.as_millis());
        }
    }
}
