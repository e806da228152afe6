//! What each strategy is, row by row: `stable candidate weight gates`.

use super::*;
use crate::spec::{Probe, RolloutStep};

const HOUR: Period = Period::secs(3600);

struct Case {
    rollout: Rollout,
    gates: Vec<MetricGate>,
    approve: bool,
}

fn rolling(surge: u32, unavailable: u32) -> Case {
    case(Rollout {
        max_surge: surge,
        max_unavailable: unavailable,
        ..Rollout::default()
    })
}

fn blue_green() -> Case {
    case(Rollout {
        strategy: Strategy::BlueGreen,
        ..Rollout::default()
    })
}

fn canary(steps: Vec<RolloutStep>) -> Case {
    case(Rollout {
        strategy: Strategy::Canary,
        steps,
        ..Rollout::default()
    })
}

fn case(rollout: Rollout) -> Case {
    Case {
        rollout,
        gates: Vec::new(),
        approve: false,
    }
}

fn weight(percent: f64, hold: u64) -> RolloutStep {
    RolloutStep::Weight {
        weight: Percent::new(percent).unwrap(),
        hold: Period::secs(hold),
    }
}

fn approve(what: &str) -> RolloutStep {
    RolloutStep::Approve {
        approve: what.to_owned(),
    }
}

impl Case {
    fn bake(mut self) -> Self {
        self.rollout.bake = HOUR;
        self
    }

    fn probed(mut self) -> Self {
        let probe = serde_json::json!({ "request": { "path": "/chat" } });
        self.rollout.probe = vec![serde_json::from_value::<Probe>(probe).unwrap()];
        self
    }

    fn approved(mut self) -> Self {
        self.approve = true;
        self
    }

    fn gated(mut self) -> Self {
        let gate = serde_json::json!({ "metric": "error_rate", "max": 0.01 });
        self.gates = vec![serde_json::from_value(gate).unwrap()];
        self
    }

    fn plan(&self, from: Option<(u32, u32)>, replicas: u32) -> Plan {
        Plan::new(&Wish {
            from: from.map(|(id, now)| (ReleaseId(id), now)),
            to: ReleaseId(2),
            replicas,
            rollout: &self.rollout,
            gates: &self.gates,
            approve: self.approve,
            auto_undo: true,
            startup: HOUR,
        })
    }

    fn shows(&self, now: u32, replicas: u32, steps: &[&str], undo: &[&str]) {
        check(&self.plan(Some((1, now)), replicas), steps, undo);
    }
}

fn check(plan: &Plan, steps: &[&str], undo: &[&str]) {
    let show = |rows: &[Step]| rows.iter().map(row).collect::<Vec<_>>();
    assert_eq!(show(&plan.steps), steps, "steps");
    assert_eq!(show(&plan.undo), undo, "undo");
}

fn row(step: &Step) -> String {
    let weight = step.weight.to_string().replace(' ', "");
    let head = format!("{} {} {weight}", step.stable, step.candidate);
    let gates = step.gates.iter().map(|gate| match gate {
        Gate::Probe => " probe".to_owned(),
        Gate::Hold(time) => format!(" hold {time}"),
        Gate::Approve(what) => format!(" approve {what}"),
    });
    let copies = (!step.mirror.is_zero()).then(|| format!(" copies {}", step.mirror));
    let copies = copies.map(|copies| copies.replace(" %", "%"));
    std::iter::once(head).chain(copies).chain(gates).collect()
}

#[test]
fn a_canary_has_as_many_candidates_as_its_share_needs() {
    let steps = vec![
        approve("the start"),
        weight(5.0, 300),
        weight(50.0, 0),
        approve("full traffic"),
        weight(100.0, 60),
    ];
    canary(steps).probed().approved().bake().gated().shows(
        4,
        4,
        &[
            "4 1 0% probe approve first traffic approve the start",
            "4 1 5% hold 5m",
            "4 2 50% hold 0s approve full traffic",
            "4 4 100% hold 1m hold 1h",
            "0 4 100%",
        ],
        &["4 0 0%"; 4],
    );
}

#[test]
fn a_canary_without_gates_has_no_holds_and_ends_at_full_weight() {
    let steps = vec![weight(12.5, 0)];
    let rows = ["3 1 12.5%", "3 5 100%", "0 5 100%"];
    canary(steps).shows(3, 5, &rows, &["3 0 0%"; 2]);
}

#[test]
fn blue_green_is_one_switch() {
    let rows = ["3 3 0% probe", "3 3 100% hold 1h", "0 3 100%"];
    blue_green()
        .probed()
        .bake()
        .shows(3, 3, &rows, &["3 0 0%"; 2]);
    let plain = ["5 2 100%", "0 2 100%"];
    blue_green().shows(5, 2, &plain, &["5 0 0%"]);
}

#[test]
fn rolling_with_surge_makes_before_it_breaks() {
    rolling(1, 0).probed().bake().shows(
        3,
        3,
        &[
            "3 1 0% probe",
            "2 1 33.33%",
            "1 2 66.66%",
            "1 3 100% hold 1h",
            "0 3 100%",
        ],
        &["3 0 0%", "3 1 0%", "2 1 33.33%", "1 2 66.66%"],
    );
    let one = ["1 1 100% hold 0s", "0 1 100%"];
    rolling(1, 0).gated().shows(1, 1, &one, &["1 0 0%"]);
}

#[test]
fn rolling_with_both_takes_larger_strides() {
    let rows = ["2 1 33.33%", "1 3 75%", "1 4 100%", "0 4 100%"];
    rolling(1, 1).shows(4, 4, &rows, &["4 0 0%", "2 1 33.33%", "1 3 75%"]);
    let rows = ["2 2 50%", "2 5 100%", "0 5 100%"];
    rolling(2, 1).shows(5, 5, &rows, &["5 0 0%", "2 2 50%"]);
}

#[test]
fn rolling_without_surge_makes_room_first() {
    rolling(0, 1).probed().shows(
        3,
        3,
        &[
            "2 0 0%",
            "2 1 0% probe",
            "2 1 33.33%",
            "1 1 50%",
            "1 2 66.66%",
            "0 2 100%",
            "0 3 100%",
            "0 3 100%",
        ],
        &[
            "3 0 0%",
            "2 0 0%",
            "2 1 0%",
            "2 1 33.33%",
            "1 1 50%",
            "1 2 66.66%",
            "0 2 100%",
        ],
    );
    assert_eq!(rolling(0, 1).plan(Some((1, 3)), 3).limit, Some(3));
}

#[test]
fn on_one_gpu_the_old_replica_goes_before_the_new_one_comes() {
    let rows = ["0 0 0%", "0 1 100% hold 1h", "0 1 100%"];
    rolling(0, 1)
        .bake()
        .shows(1, 1, &rows, &["1 0 0%", "0 0 0%"]);
}

#[test]
fn rolling_to_another_count() {
    let fewer = ["1 1 50%", "1 2 100%", "0 2 100%"];
    rolling(1, 0).shows(5, 2, &fewer, &["5 0 0%", "1 1 50%"]);
    let more = ["1 4 80%", "1 5 100%", "0 5 100%"];
    rolling(1, 0).shows(2, 5, &more, &["2 0 0%", "1 4 80%"]);
    let tight = ["1 0 0%", "1 1 100%", "0 1 100%"];
    rolling(0, 1).shows(3, 1, &tight, &["3 0 0%", "1 0 0%"]);
}

#[test]
fn a_first_deploy_is_undone_to_nothing() {
    let trial = ["0 2 0% probe approve first traffic", "0 2 100%", "0 2 100%"];
    let first = blue_green().probed().approved().plan(None, 2);
    check(&first, &trial, &["0 0 0%"; 2]);
    let idle = rolling(1, 0).plan(Some((1, 0)), 2);
    check(&idle, &["0 2 100%"; 2], &["0 0 0%"]);
}

#[test]
fn a_change_of_the_replica_count_alone_is_undone_to_the_old_count() {
    let plan = canary(vec![weight(5.0, 300)])
        .probed()
        .plan(Some((2, 2)), 5);
    check(&plan, &["0 5 100%"; 2], &["0 2 100%"]);
    assert!(plan.is_scale());
    assert_eq!(plan.stable(), None);
}

#[test]
fn rolling_keeps_its_bounds() {
    let counts = || (1..=6).flat_map(|now| (1..=6).map(move |then| (now, then)));
    for (surge, unavailable) in [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (2, 1), (9, 9)] {
        for (now, then) in counts() {
            let plan = rolling(surge, unavailable)
                .probed()
                .plan(Some((1, now)), then);
            let most = now.max(then) + surge;
            let alive = |row: &Step| row.stable + row.candidate;
            assert!(plan.steps.iter().all(|row| alive(row) <= most), "{plan:?}");
            assert!(
                plan.floor() >= now.min(then).saturating_sub(unavailable),
                "{plan:?}"
            );
            let past = &plan.steps[plan.steps.len() - 2..];
            assert_eq!(past[0].candidate, past[1].candidate, "{plan:?}");
        }
    }
}

fn shadow(steps: Vec<RolloutStep>) -> Case {
    case(Rollout {
        strategy: Strategy::Shadow,
        steps,
        ..Rollout::default()
    })
}

#[test]
fn a_shadow_is_asked_what_stable_is_asked_before_the_switch() {
    shadow(Vec::new()).probed().approved().bake().gated().shows(
        4,
        4,
        &[
            "4 4 0% probe",
            "4 4 0% copies 100% hold 30m approve first traffic",
            "4 4 100% hold 1h",
            "0 4 100%",
        ],
        &["4 0 0%"; 3],
    );
}

#[test]
fn after_a_shadow_come_the_steps_of_a_canary() {
    let steps = vec![weight(5.0, 300), approve("more"), weight(100.0, 0)];
    let mut half = shadow(steps);
    half.rollout.mirror = Percent::new(50.0).unwrap();
    half.shows(
        4,
        4,
        &[
            "4 2 0% copies 50% hold 30m",
            "4 2 5% hold 5m approve more",
            "4 4 100%",
            "0 4 100%",
        ],
        &["4 0 0%"; 3],
    );
}

#[test]
fn both_arms_of_a_test_are_whole_until_a_person_decides() {
    let test = Rollout {
        strategy: Strategy::Ab,
        split: Percent::new(30.0).unwrap(),
        ..Rollout::default()
    };
    case(test).probed().bake().shows(
        3,
        4,
        &[
            "3 4 0% probe",
            "3 4 30% approve which arm stays",
            "3 4 100% hold 1h",
            "0 4 100%",
        ],
        &["3 0 0%"; 3],
    );
}

#[test]
fn a_first_deploy_has_nobody_to_copy_from() {
    let plan = shadow(Vec::new()).plan(None, 2);
    check(&plan, &["0 2 100%", "0 2 100%"], &["0 0 0%"]);
    assert_eq!(plan.shadow, None);
}
