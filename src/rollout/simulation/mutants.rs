//! Each rule is needed: without it, or in another order, some schedule breaks an invariant.

use super::super::event::{Effect, Event};
use super::super::plan::Plan;
use super::super::state::Phase;
use super::super::walk::{RULES, Rule, View, await_candidate};
use super::scenario::{Scenario, scenarios};
use super::search::{Rig, Twist, search};
use crate::spec::Percent;

/// By their places in `RULES`.
const NAMES: [&str; 9] = [
    "retire",
    "dismiss",
    "grow_candidate",
    "await_candidate",
    "grow_stable",
    "await_stable",
    "route",
    "shrink_stable",
    "shrink_candidate",
];

const COUNTS: [(u32, u32); 5] = [(1, 1), (2, 2), (3, 3), (1, 3), (3, 1)];

fn place(name: &str) -> usize {
    NAMES.iter().position(|known| *known == name).unwrap()
}

/// Two faults are enough to catch every mutant.
fn is_caught(rig: &Rig, change: fn(&mut Plan)) -> bool {
    scenarios(&COUNTS).into_iter().any(|mut scenario| {
        change(&mut scenario.plan);
        search(
            &Scenario {
                faults: 2,
                ..scenario
            },
            rig,
        )
        .is_err()
    })
}

fn is_rig_caught(rig: &Rig) -> bool {
    is_caught(rig, |_| {})
}

fn rules(change: impl Fn(&mut Vec<Rule>)) -> Rig {
    let mut rules = RULES.to_vec();
    change(&mut rules);
    Rig {
        rules,
        is_sound: false,
        ..Rig::sound()
    }
}

fn twist(twist: Twist) -> Rig {
    Rig {
        twist: Some(twist),
        is_sound: false,
        ..Rig::sound()
    }
}

#[test]
fn no_rule_can_be_left_out() {
    for (at, name) in NAMES.iter().enumerate() {
        let rig = rules(|rules| {
            rules.remove(at);
        });
        assert!(is_rig_caught(&rig), "nothing misses {name}");
    }
}

#[test]
fn no_rule_can_come_before_one_that_it_leans_on() {
    for (first, then) in [
        ("await_candidate", "route"),
        ("grow_stable", "route"),
        ("await_stable", "route"),
        ("route", "shrink_stable"),
        ("route", "shrink_candidate"),
        ("dismiss", "shrink_stable"),
        ("grow_stable", "await_stable"),
        ("await_candidate", "shrink_stable"),
    ] {
        let (first, then) = (place(first), place(then));
        let rig = rules(|rules| {
            let late = rules.remove(then);
            rules.insert(first, late);
        });
        let names = (NAMES[first], NAMES[then]);
        assert!(is_rig_caught(&rig), "nothing minds {names:?} the other way");
    }
}

#[test]
fn a_weaker_wait_is_missed() {
    fn half(view: &View) -> Option<Effect> {
        let some = view.live.candidate.ready > 0;
        (!some).then(|| await_candidate(view)).flatten()
    }
    let rig = rules(|rules| rules[place("await_candidate")] = half);
    assert!(is_rig_caught(&rig));
}

#[test]
fn doubt_is_needed_after_each_kind_of_event() {
    let kinds: [Twist; 4] = [
        |before, event, after| {
            if matches!(event, Event::Resumed(_)) {
                after.live.clone_from(&before.live);
            }
        },
        |before, event, after| {
            if matches!(event, Event::Failed(..)) {
                after.live.clone_from(&before.live);
            }
        },
        |before, event, after| {
            if matches!(event, Event::Aborted(_)) {
                after.live.clone_from(&before.live);
            }
        },
        |before, event, after| {
            if matches!(event, Event::Done(Effect::Ask(_))) {
                after.live.clone_from(&before.live);
            }
        },
    ];
    for (at, kind) in kinds.into_iter().enumerate() {
        assert!(is_rig_caught(&twist(kind)), "nothing misses doubt {at}");
    }
}

#[test]
fn an_undo_begins_where_the_walk_was() {
    let far = twist(|before, _, after| {
        if before.undoing.is_none() && after.undoing.is_some() {
            after.row = 0;
        }
    });
    assert!(is_rig_caught(&far), "nothing minds an undo in one stride");
    let ahead = twist(|before, _, after| {
        if before.undoing.is_none() && after.undoing.is_some() {
            after.row = after.plan.undo.len() - 1;
        }
    });
    assert!(
        is_rig_caught(&ahead),
        "nothing minds an undo that first goes on"
    );
}

#[test]
fn nothing_is_undone_from_the_clean_up_on() {
    let rig = twist(|before, event, after| {
        if let (Phase::CleaningUp, Event::Failed(_, reason)) = (before.phase(), event) {
            after.undoing = Some(reason.clone());
            after.row = after.plan.undo.len() - 1;
        }
    });
    assert!(is_rig_caught(&rig));
}

#[test]
fn failures_are_counted() {
    assert!(is_rig_caught(&twist(|_, _, after| after.failures = 0)));
}

#[test]
fn an_undo_does_not_lean_on_dead_candidates() {
    assert!(is_caught(&Rig::sound(), |plan| plan.from = None));
}

#[test]
fn the_limit_counts_replicas_that_leave() {
    assert!(is_caught(&Rig::sound(), |plan| plan.limit = None));
}

#[test]
fn rows_keep_the_floor_and_the_weight() {
    assert!(is_caught(&Rig::sound(), |plan| {
        let rows = plan.steps.iter_mut();
        rows.for_each(|row| row.stable = row.stable.saturating_sub(1));
    }));
    assert!(is_caught(&Rig::sound(), |plan| {
        let rows = plan
            .steps
            .iter_mut()
            .filter(|row| row.weight > Percent::ZERO);
        rows.for_each(|row| row.weight = Percent::FULL);
    }));
}
