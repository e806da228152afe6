use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::json;

use super::*;
use crate::analysis::{Evidence, Finding, Measures, Verdict};
use crate::render::Templates;
use crate::rollout::samples::plan_for;
use crate::rollout::{Effect, Gate, Live, Measured, Outcome, Plan, Reason, Side, Slot, Why};
use crate::spec::{
    Against, Bound, GateSource, Metric, MetricGate, Period, Rollout, RolloutStep, Strategy,
};
use crate::ui::words::Clock;

const BEGAN: u64 = 1_795_225_848_000;

fn gate(against: Option<Against>) -> MetricGate {
    MetricGate {
        name: against.map(|_| "beside".to_owned()),
        max: against.is_none().then_some(Bound::Number(0.05)),
        against,
        ..MetricGate::on(Metric::ErrorRate)
    }
}

fn plan() -> Plan {
    let step = |weight, hold| RolloutStep::Weight {
        weight: Percent::new(weight).unwrap(),
        hold: Period::secs(hold),
    };
    let rollout = Rollout {
        strategy: Strategy::Canary,
        steps: vec![step(10.0, 60), step(100.0, 0)],
        ..Rollout::default()
    };
    plan_for(
        Some(1),
        2,
        &rollout,
        &[gate(None), gate(Some(Against::Stable))],
    )
}

fn measures(requests: u64, errors: u64) -> Measures {
    Measures {
        since: BEGAN,
        requests,
        errors,
        begun: requests,
        failed: errors,
        latency: vec![(200_000, requests)],
        ..Measures::default()
    }
}

fn look(requests: u64, errors: u64, finding: Finding) -> Event {
    let verdict = |gate: &str, evidence| Verdict {
        gate: gate.to_owned(),
        finding,
        figure: Some(errors as f64 / requests as f64),
        says: "error_rate <b>is</b> above".to_owned(),
        evidence,
        both: false,
    };
    let evidence = Evidence {
        worse: errors as f64,
        fails: 4.6,
        harmless: -1.0,
        passes: 3.0,
    };
    Event::Measured(Box::new(Measured {
        row: 0,
        weight: Percent::new(10.0).unwrap(),
        stable: Some(measures(requests * 9, 0)),
        candidate: Some(measures(requests, errors)),
        verdicts: vec![
            verdict("error_rate", None),
            verdict("beside", Some(evidence)),
        ],
    }))
}

fn live(candidate: u32, weight: f64) -> Event {
    let side = |wanted| Side {
        wanted,
        ready: wanted,
        ..Side::default()
    };
    Event::Observed(Live {
        stable: side(1),
        candidate: side(candidate),
        weight: Percent::new(weight),
        mirror: Default::default(),
        others: Vec::new(),
    })
}

/// It failed in its first step, and went back.
fn known() -> Known {
    let reason = Reason {
        why: Why::Gate,
        says: "error_rate 20.0 % is above 5.0 %".to_owned(),
        lines: vec!["oh no".to_owned()],
        evidence: None,
        hint: None,
    };
    let hold = Effect::Ask(Gate::Hold(Period::secs(60)));
    let events = [
        (0, Event::Planned(Box::new(plan()))),
        (10, live(0, 0.0)),
        (20, Event::Done(Effect::Scale(Slot::Candidate, 1))),
        (500, Event::Done(Effect::AwaitReady(Slot::Candidate, 1))),
        (600, Event::Done(Effect::Route(Percent::new(10.0).unwrap()))),
        (700, look(10, 0, Finding::Unclear)),
        (2_000, look(50, 10, Finding::Fail)),
        (2_010, Event::Failed(hold, reason.clone())),
        (2_100, live(0, 0.0)),
        (2_200, Event::Finished(Outcome::RolledBack(reason))),
    ];
    Known {
        agent: "bot".to_owned(),
        environment: None,
        rollout: 7,
        events: events.map(|(at, event)| (Stamp(BEGAN + at), event)).into(),
        logs: vec![ReplicaLog {
            replica: "r2-1".to_owned(),
            lines: vec!["<script>alert(1)</script>".to_owned()],
        }],
    }
}

#[test]
fn figures_are_those_of_the_journal() {
    let report = serde_json::to_value(Report::of(known()).unwrap()).unwrap();
    assert_eq!(report["outcome"], "rolled_back");
    assert_eq!(report["took_ms"], 2_200);
    let steps = report["steps"].as_array().unwrap();
    let took: Vec<_> = steps.iter().map(|step| step["took_ms"].clone()).collect();
    assert_eq!(took, [json!(2_010), json!(null), json!(null)]);
    let gates = report["gates"].as_array().unwrap();
    assert_eq!(gates[0]["points"][1]["figure"], 0.2);
    assert_eq!(gates[0]["max"], 0.05);
    assert_eq!(gates[1]["gate"], "beside");
    assert_eq!(gates[1]["points"][1]["evidence"]["worse"], 10.0);
    assert_eq!(report["releases"][0]["requests"], 450);
    assert_eq!(
        report["releases"][1]["requests"], 50,
        "not both looks together"
    );
    assert_eq!(report["windows"].as_array().unwrap().len(), 1);
    let says: Vec<_> = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| &told["says"])
        .collect();
    assert!(
        says.contains(&&json!("error_rate 20.0 % is above 5.0 %")),
        "{says:?}"
    );
}

#[test]
fn gates_that_the_edge_does_not_count_for() {
    let asks = MetricGate {
        name: Some("smoke".to_owned()),
        source: Some(GateSource::Command {
            command: vec!["check".to_owned()],
            json: None,
        }),
        ..MetricGate::on(Metric::Sourced)
    };
    let slow = MetricGate {
        against: Some(Against::Stable),
        ..MetricGate::on(Metric::LatencyP95)
    };
    let verdict = |gate: &str| Verdict {
        gate: gate.to_owned(),
        finding: Finding::Pass,
        figure: Some(0.0),
        says: String::new(),
        evidence: None,
        both: false,
    };
    let look = Measured {
        row: 0,
        weight: Percent::new(10.0).unwrap(),
        stable: Some(Measures {
            slowest: vec![(200_000, 10)],
            ..measures(10, 5)
        }),
        candidate: Some(measures(10, 5)),
        verdicts: vec![verdict("smoke"), verdict("latency_p95")],
    };
    let events = [
        Event::Planned(Box::new(Plan {
            gates: vec![asks, slow],
            ..plan()
        })),
        Event::Measured(Box::new(look)),
    ];
    let known = Known {
        events: events.map(|event| (Stamp(BEGAN), event)).into(),
        ..known()
    };
    let report = serde_json::to_value(Report::of(known).unwrap()).unwrap();
    let of = |gate: usize, key: &str| report["gates"][gate][key].clone();
    assert_eq!(
        (of(0, "gate"), of(0, "metric")),
        (json!("smoke"), json!(null))
    );
    assert_eq!(of(1, "metric"), "latency_p95");
    assert_eq!(of(1, "points")[0]["stable"], 0.2);
}

#[test]
fn the_page_fetches_nothing_and_runs_nothing() {
    let clock = Clock {
        now: Stamp(BEGAN),
        zone: TimeZone::UTC,
    };
    let page = Report::of(known())
        .unwrap()
        .page(&Templates::new(BTreeMap::new()), &clock);
    let page = page.unwrap();
    for word in [
        "http:", "https:", "src=", "<script", "@import", "url(", "<b>",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    for word in [
        "&lt;script&gt;",
        "rolled back",
        "error_rate at most 5.0 %",
        "not reached",
        "p95",
    ] {
        assert!(page.contains(word), "{word}:\n{page}");
    }
}

#[test]
fn one_that_has_only_begun() {
    let mut known = known();
    known.events.truncate(1);
    let report = Report::of(known).unwrap();
    assert_eq!(report.took_ms, None);
    let clock = Clock {
        now: Stamp(BEGAN),
        zone: TimeZone::UTC,
    };
    let page = report
        .page(&Templates::new(BTreeMap::new()), &clock)
        .unwrap();
    assert!(page.contains("unfinished"));
}
