//! One agent in the middle of a canary, and a console whose bytes can be read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::ProgressDrawTarget;
use jiff::tz::TimeZone;

mod screen;

use self::screen::Screen;
use super::console::{Console, Reader, Wishes};
use super::progress::Title;
use super::words::Clock;
use crate::analysis::{Finding, Measures, Verdict};
use crate::release::ReleaseId;
use crate::rollout::{
    Effect, Event, Gate, Live, Outcome, Plan, Reason, Rollout, Side, Slot, Stamp, Why, Wish,
};
use crate::spec::{Bound, Metric, MetricGate, Percent, Period, Probe, RolloutStep, Strategy};
use crate::target::{Failing, Seen, SeenRelease};

/// 2026-10-06 12:03:44 UTC.
pub(super) const NOON: Stamp = Stamp(1_791_288_224_000);

pub(super) fn after(seconds: u64) -> Stamp {
    Stamp(NOON.0 + seconds * 1000)
}

pub(super) fn clock(seconds: u64) -> Clock {
    Clock {
        now: after(seconds),
        zone: TimeZone::UTC,
    }
}

/// What a console wrote.
#[derive(Clone, Debug, Default)]
pub(super) struct Spy(Arc<Mutex<Vec<u8>>>);

impl Write for Spy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spy {
    /// Since this was last asked.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().split_off(0)).unwrap()
    }

    /// Draws on it, as often as it is told to.
    pub(super) fn screen(&self, columns: u16, rows: u16) -> ProgressDrawTarget {
        ProgressDrawTarget::term_like(Box::new(Screen {
            spy: self.clone(),
            columns,
            rows,
        }))
    }
}

/// Nobody's terminal.
pub(super) fn reader() -> Reader {
    Reader {
        stdout_is_terminal: false,
        stderr_is_terminal: false,
        no_color: false,
        dumb: false,
        utf8: true,
        size: || None,
        zone: || TimeZone::UTC,
    }
}

/// With what it writes to stdout and to stderr.
pub(super) fn console(wishes: Wishes, reader: Reader) -> (Console, Spy, Spy) {
    let (out, err) = (Spy::default(), Spy::default());
    let console = Console::new(wishes, reader, Box::new(out.clone()), Box::new(err.clone()));
    (console, out, err)
}

pub(super) fn title() -> Title {
    Title {
        agent: "support-agent".to_owned(),
        environment: Some("production".to_owned()),
        rollout: 7,
    }
}

pub(super) fn percent(value: u16) -> Percent {
    Percent::from_hundredths(value * 100)
}

pub(super) fn gates() -> Vec<MetricGate> {
    let gate = |metric, max| MetricGate {
        max: Some(max),
        ..MetricGate::on(metric)
    };
    vec![
        gate(Metric::ErrorRate, Bound::Number(0.05)),
        gate(Metric::LatencyP95, Bound::Time(Period::millis(500))),
    ]
}

fn probe() -> Probe {
    let text =
        r#"{ "request": { "method": "POST", "path": "/chat" }, "expect": { "json": "$.reply" } }"#;
    serde_json::from_str(text).unwrap()
}

/// Canary r12 → r13 with three replicas: 10 % for 10 s, 50 % and an approval, all.
pub(super) fn plan() -> Plan {
    let weight = |value, hold| RolloutStep::Weight {
        weight: percent(value),
        hold: Period::secs(hold),
    };
    let rollout = crate::spec::Rollout {
        strategy: Strategy::Canary,
        steps: vec![
            weight(10, 10),
            weight(50, 300),
            RolloutStep::Approve {
                approve: "before full traffic".to_owned(),
            },
            weight(100, 0),
        ],
        probe: vec![probe()],
        ..crate::spec::Rollout::default()
    };
    Plan::new(&Wish {
        from: Some((ReleaseId(12), 3)),
        to: ReleaseId(13),
        replicas: 3,
        rollout: &rollout,
        gates: &gates(),
        approve: false,
        auto_undo: true,
        startup: Period::secs(60),
    })
}

fn measures(requests: u64, errors: u64, micros: u64) -> Measures {
    Measures {
        since: NOON.0,
        requests,
        errors,
        open: 4,
        latency: vec![
            (micros / 2, requests / 2),
            (micros, requests - requests / 2),
        ],
        tokens: 88_120,
        token_requests: requests,
        ..Measures::default()
    }
}

fn release(wanted: u32, ready: u32, window: Measures) -> SeenRelease {
    SeenRelease {
        wanted,
        ready,
        conversations: 12,
        total: window.clone(),
        window,
        ..SeenRelease::default()
    }
}

/// At 10 %, with r9 still finishing conversations.
pub(super) fn seen() -> Seen {
    let draining = SeenRelease {
        leaving: 1,
        conversations: 2,
        ..SeenRelease::default()
    };
    Seen {
        url: Some("http://127.0.0.1:8000".to_owned()),
        releases: [
            (ReleaseId(9), draining),
            (ReleaseId(12), release(3, 3, measures(1_204, 1, 210_000))),
            (ReleaseId(13), release(1, 1, measures(131, 0, 220_000))),
        ]
        .into(),
        shares: [(ReleaseId(12), percent(90)), (ReleaseId(13), percent(10))].into(),
        closed: None,
        ending: false,
        mirrored: None,
    }
}

/// With a candidate that does not come up.
pub(super) fn seen_failing() -> Seen {
    let mut seen = seen();
    let candidate = seen.releases.get_mut(&ReleaseId(13)).unwrap();
    *candidate = SeenRelease {
        wanted: 1,
        failing: vec![Failing {
            replica: 2,
            restarts: 3,
            says: "exited with 1: \u{1b}[31mModuleNotFoundError\u{1b}[0m".to_owned(),
        }],
        ..SeenRelease::default()
    };
    seen.shares = [(ReleaseId(12), percent(100))].into();
    seen
}

pub(super) fn verdicts() -> Vec<Verdict> {
    let verdict = |gate: &str, finding, says: &str| Verdict {
        evidence: None,
        gate: gate.to_owned(),
        finding,
        figure: None,
        says: says.to_owned(),
        both: false,
    };
    vec![
        verdict("error_rate", Finding::Pass, "error_rate 0.0 %"),
        verdict(
            "latency_p95",
            Finding::Unclear,
            "latency_p95 needs 12 more requests at this weight (8 of 20)",
        ),
    ]
}

fn side(ready: u32) -> Side {
    Side {
        wanted: ready,
        ready,
        ..Side::default()
    }
}

pub(super) fn live(stable: u32, candidate: u32, weight: u16) -> Event {
    Event::Observed(Live {
        stable: side(stable),
        candidate: side(candidate),
        weight: Some(percent(weight)),
        mirror: Default::default(),
        others: Vec::new(),
    })
}

/// Events of a rollout with the second each came in, up to the hold at 10 %.
pub(super) fn events() -> Vec<(u64, Event)> {
    let done = Event::Done;
    vec![
        (0, Event::Planned(Box::new(plan()))),
        (0, live(3, 0, 0)),
        (1, done(Effect::Scale(Slot::Candidate, 1))),
        (3, done(Effect::AwaitReady(Slot::Candidate, 1))),
        (4, done(Effect::Ask(Gate::Probe))),
        (4, live(3, 1, 0)),
        (5, done(Effect::Route(percent(10)))),
    ]
}

fn own_lines() -> Vec<String> {
    let lines = (1..=6).map(|number| format!("POST /chat \u{1b}[31m500\u{1b}[0m {number}"));
    lines.collect()
}

/// The error rate gate has failed, and the first steps back are done.
pub(super) fn gate_failed() -> Vec<(u64, Event)> {
    let reason = Reason {
        lines: own_lines(),
        why: Why::Gate,
        says: "error_rate 33.3 % is above 5.0 %".to_owned(),
        evidence: Some("evidence/7".to_owned()),
        hint: None,
    };
    let gate = Gate::Hold(Period::secs(10));
    let mut events = events();
    events.extend([
        (9, Event::Failed(Effect::Ask(gate), reason)),
        (9, live(3, 1, 10)),
    ]);
    events
}

/// The undo to its end.
pub(super) fn taken_back() -> Vec<(u64, Event)> {
    let mut events = gate_failed();
    events.extend([
        (10, Event::Done(Effect::Route(percent(0)))),
        (11, Event::Done(Effect::Scale(Slot::Candidate, 0))),
    ]);
    let outcome = replay(&events).outcome().cloned().unwrap();
    events.push((12, Event::Finished(outcome)));
    events
}

/// Everything goes well; a person approves after five minutes.
pub(super) fn all_well() -> Vec<(u64, Event)> {
    let done = Event::Done;
    let mut events = events();
    events.extend([
        (15, done(Effect::Ask(Gate::Hold(Period::secs(10))))),
        (15, live(3, 1, 10)),
        (16, done(Effect::Scale(Slot::Candidate, 2))),
        (18, done(Effect::AwaitReady(Slot::Candidate, 2))),
        (18, done(Effect::Route(percent(50)))),
        (318, done(Effect::Ask(Gate::Hold(Period::secs(300))))),
        (340, Event::Approved("bert@desk".to_owned())),
        (340, live(3, 2, 50)),
        (341, done(Effect::Scale(Slot::Candidate, 3))),
        (343, done(Effect::AwaitReady(Slot::Candidate, 3))),
        (343, done(Effect::Route(percent(100)))),
        (343, done(Effect::Ask(Gate::Hold(Period::secs(0))))),
        (343, live(3, 3, 100)),
        (344, done(Effect::Scale(Slot::Stable, 0))),
        (344, Event::Finished(Outcome::Completed)),
    ]);
    events
}

pub(super) fn replay(events: &[(u64, Event)]) -> Rollout {
    Rollout::replay(
        events
            .iter()
            .map(|(second, event)| (after(*second), event.clone())),
    )
    .unwrap()
}

/// Lines as a console without colour would print them.
pub(super) fn text(lines: &[super::line::Line]) -> String {
    let printed = |line: &super::line::Line| line.clone().map(crate::redact::harmless).paint(false);
    lines.iter().map(|line| printed(line) + "\n").collect()
}

/// Exactly this, which may begin on a line of its own.
#[track_caller]
pub(super) fn golden(actual: &str, expected: &str) {
    assert_eq!(actual, expected.strip_prefix('\n').unwrap_or(expected));
}
