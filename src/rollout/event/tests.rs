//! The journal's format. A change here breaks every journal that was written before it.

use std::collections::BTreeMap;

use super::*;
use crate::rollout::Step;
use crate::spec::Period;

fn reason() -> Reason {
    Reason::new(Why::NotReady, "exited with status 1")
}

fn live() -> Live {
    let side = |wanted, ready, coming, leaving| Side {
        wanted,
        ready,
        coming,
        leaving,
    };
    Live {
        stable: side(3, 3, 0, 1),
        candidate: side(1, 0, 1, 0),
        weight: Percent::new(12.5),
        mirror: Default::default(),
        others: Vec::new(),
    }
}

fn keeps(event: &Event, json: &str) {
    assert_eq!(serde_json::to_string(event).unwrap(), json);
    assert_eq!(serde_json::from_str::<Event>(json).unwrap(), *event);
}

#[test]
fn each_effect_keeps_its_form() {
    for (effect, json) in [
        (Effect::Observe, r#""observe""#),
        (
            Effect::Scale(Slot::Candidate, 3),
            r#"{"scale":["candidate",3]}"#,
        ),
        (
            Effect::AwaitReady(Slot::Stable, 3),
            r#"{"await_ready":["stable",3]}"#,
        ),
        (Effect::AwaitGone(2), r#"{"await_gone":2}"#),
        (Effect::Route(Percent::FULL), r#"{"route":100}"#),
        (Effect::Retire(ReleaseId(9)), r#"{"retire":"r9"}"#),
        (Effect::Ask(Gate::Probe), r#"{"ask":"probe"}"#),
        (
            Effect::Ask(Gate::Hold(Period::secs(300))),
            r#"{"ask":{"hold":"5m"}}"#,
        ),
        (
            Effect::Ask(Gate::Approve("go".to_owned())),
            r#"{"ask":{"approve":"go"}}"#,
        ),
    ] {
        keeps(&Event::Done(effect), &format!(r#"{{"done":{json}}}"#));
    }
}

#[test]
fn each_event_keeps_its_form() {
    keeps(&Event::Resumed("ann".to_owned()), r#"{"resumed":"ann"}"#);
    keeps(&Event::Approved("ann".to_owned()), r#"{"approved":"ann"}"#);
    keeps(&Event::Aborted("ann".to_owned()), r#"{"aborted":"ann"}"#);
    keeps(&Event::Kept("ann".to_owned()), r#"{"kept":"ann"}"#);
    keeps(
        &Event::Observed(live()),
        r#"{"observed":{"stable":{"wanted":3,"ready":3,"coming":0,"leaving":1},"candidate":{"wanted":1,"ready":0,"coming":1,"leaving":0},"weight":12.5}}"#,
    );
    keeps(
        &Event::Failed(Effect::AwaitReady(Slot::Candidate, 1), reason()),
        r#"{"failed":[{"await_ready":["candidate",1]},{"why":"not_ready","says":"exited with status 1"}]}"#,
    );
    keeps(
        &Event::Counted(Counted {
            row: 1,
            weight: Percent::FULL,
            stable: Units {
                begun: 9,
                failed: 1,
            },
            candidate: Units::default(),
            evidence: None,
        }),
        r#"{"counted":{"row":1,"weight":100,"stable":{"begun":9,"failed":1},"candidate":{"begun":0,"failed":0}}}"#,
    );
    keeps(
        &Event::Marked(BTreeMap::from([(1, vec![250_000])])),
        r#"{"marked":{"1":[250000]}}"#,
    );
    keeps(
        &Event::Finished(Outcome::Completed),
        r#"{"finished":"completed"}"#,
    );
    keeps(
        &Event::Finished(Outcome::Stalled(reason())),
        r#"{"finished":{"stalled":{"why":"not_ready","says":"exited with status 1"}}}"#,
    );
    keeps(
        &Event::Finished(Outcome::RolledBack(reason())),
        r#"{"finished":{"rolled_back":{"why":"not_ready","says":"exited with status 1"}}}"#,
    );
}

#[test]
fn a_plan_keeps_its_form() {
    let plan = Plan {
        by: "anna@laptop".to_owned(),
        because: None,
        chosen: None,
        goes_back: false,
        sticky: true,
        strategy: crate::spec::Strategy::BlueGreen,
        from: Some(ReleaseId(1)),
        to: ReleaseId(2),
        steps: vec![
            Step::new(3, 3, Percent::FULL),
            Step::new(0, 3, Percent::FULL),
        ],
        undo: vec![Step::new(3, 0, Percent::ZERO)],
        limit: None,
        one_set: false,
        auto_undo: true,
        probes: Vec::new(),
        gates: Vec::new(),
        judges: Default::default(),
        confidence: 0.99,
        folder: String::new(),
        settle: None,
        shadow: None,
        ab: None,
        patience: Period::secs(3600),
        startup: Period::secs(60),
    };
    keeps(
        &Event::Planned(Box::new(plan)),
        r#"{"planned":{"strategy":"blue-green","by":"anna@laptop","from":"r1","to":"r2","steps":[{"stable":3,"candidate":3,"weight":100},{"stable":0,"candidate":3,"weight":100}],"undo":[{"stable":3,"candidate":0,"weight":0}],"sticky":true,"auto_undo":true,"patience":"1h","startup":"1m"}}"#,
    );
}
