use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use tokio::sync::watch;

use super::*;
use crate::analysis::{Measures, Used};
use crate::journal::{Asked, Memory, Now, Owner};
use crate::release::Identity;
use crate::rollout::samples::plan_for;
use crate::rollout::{Reason, Units, Why};
use crate::spec::{
    self, Bound, Metric, MetricGate, Percent, Period, RolloutStep, Strategy, Unclear,
};
use crate::target::contract;
use crate::target::fake::{Behaviour, Fake};

const OLD: ReleaseId = ReleaseId(1);
const NEW: ReleaseId = ReleaseId(2);

/// Keeps the events, and answers the first gate to approve if told to.
#[derive(Default)]
struct Notes {
    events: RefCell<Vec<Event>>,
    verdicts: RefCell<Vec<Verdict>>,
}

impl Audience for Notes {
    fn event(&self, _: &Rollout, _: Stamp, event: &Event) {
        self.events.borrow_mut().push(event.clone());
    }

    fn glimpse(&self, _: &Rollout, _: &Seen, verdicts: &[Verdict], _: Stamp) {
        *self.verdicts.borrow_mut() = verdicts.to_vec();
    }
}

/// One walk from release 1 to release 2, on a clock that runs as the runtime's does.
struct Story {
    target: Fake,
    gates: Vec<MetricGate>,
    hold: u64,
    auto_undo: bool,
    interrupt: Option<Interrupt>,
    /// Asked from elsewhere before it begins.
    asked: Option<&'static str>,
    approval: bool,
    one_set: bool,
    probes: Vec<spec::Probe>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            target: Fake::default(),
            gates: Vec::new(),
            hold: 10,
            auto_undo: true,
            interrupt: None,
            asked: None,
            approval: false,
            one_set: false,
            probes: Vec::new(),
        }
    }
}

struct Told {
    ended: Result<Outcome>,
    events: Vec<Event>,
    calls: Vec<String>,
    evidence: tempfile::TempDir,
    seconds: u64,
}

impl Story {
    fn plan(&self) -> Plan {
        let step = |weight, hold| RolloutStep::Weight {
            weight: Percent::new(weight).unwrap(),
            hold: Period::secs(hold),
        };
        let approve = RolloutStep::Approve {
            approve: "before all".to_owned(),
        };
        let mut steps = vec![step(50.0, self.hold), step(100.0, 0)];
        if self.approval {
            steps.insert(1, approve);
        }
        let rollout = spec::Rollout {
            strategy: Strategy::Canary,
            patience: Period::secs(60),
            steps,
            probe: self.probes.clone(),
            ..spec::Rollout::default()
        };
        Plan {
            auto_undo: self.auto_undo,
            one_set: self.one_set,
            ..plan_for(Some(1), 2, &rollout, &self.gates)
        }
    }

    async fn told(self) -> Told {
        let store = Memory::default();
        let now = Now {
            at: 0,
            tick: Instant::now(),
        };
        let hold = store.acquire(Owner::here(|_| None), now).await.unwrap();
        for number in [1, 2] {
            let release = contract::release(number, Identity::of(b"files"));
            let bytes = serde_json::to_vec(&release).unwrap();
            store
                .put(&hold, &document(release.id), &bytes)
                .await
                .unwrap();
            if release.id == OLD {
                self.target.scale(&release, 1).await.unwrap();
            }
        }
        let began = tokio::time::Instant::now();
        let clock = || Stamp(1_000_000 + began.elapsed().as_millis() as u64);
        let rollout = begin(&store, &hold, 1, clock(), self.plan()).await.unwrap();
        if let Some(kind) = self.asked {
            let asked = Asked {
                rollout: 1,
                kind: kind.to_owned(),
                who: "bob@elsewhere".to_owned(),
                at: 0,
            };
            store.elsewhere().ask(asked).await.unwrap();
        }
        let (_keep, interrupts) = watch::channel(self.interrupt);
        let evidence = tempfile::tempdir().unwrap();
        let secrets = BTreeMap::from([("PASSWORD".to_owned(), "hunter2".to_owned())]);
        let notes = Notes::default();
        let mut engine = Engine {
            target: &self.target,
            store: &store,
            hold: &hold,
            audience: &notes,
            clock: &clock,
            interrupts,
            redactor: &Redactor::new(&secrets),
            sources: &Sources::default(),
            who: "anna@laptop".to_owned(),
            evidence: evidence.path().join("0001"),
            number: 1,
            rollout,
            noted: Noted::default(),
            judging: Judging::default(),
        };
        let ended = engine.walk(Vec::new()).await;
        same_as_its_journal(&engine.rollout, &store).await;
        Told {
            ended,
            events: notes.events.take(),
            calls: self.target.calls.take(),
            evidence,
            seconds: began.elapsed().as_secs(),
        }
    }
}

async fn same_as_its_journal(rollout: &Rollout, store: &Memory) {
    let records = store.read(1).await.unwrap().into_iter();
    let events = records.map(|record| {
        let event = serde_json::from_value(record.payload).unwrap();
        (Stamp(record.at), event)
    });
    assert_eq!(&Rollout::replay(events).unwrap(), rollout);
}

fn error_rate(unclear: Unclear) -> MetricGate {
    MetricGate {
        max: Some(Bound::Number(0.05)),
        unclear,
        ..MetricGate::on(Metric::ErrorRate)
    }
}

fn answers(requests: u64, errors: u64) -> Behaviour {
    Behaviour {
        window: Measures {
            requests,
            errors,
            ..Measures::default()
        },
        ..Behaviour::default()
    }
}

fn compared() -> MetricGate {
    MetricGate {
        max: None,
        against: Some(spec::Against::Stable),
        ..error_rate(Unclear::Wait)
    }
}

/// So many conversations on each release, of which so many fail.
fn beside(stable: (u64, u64), candidate: (u64, u64)) -> Fake {
    let behaviour = |(begun, failed)| Behaviour {
        window: Measures {
            begun,
            failed,
            conversations: begun,
            ..Measures::default()
        },
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

fn reason(told: &Told) -> Reason {
    match &told.ended {
        Ok(Outcome::RolledBack(reason) | Outcome::Stalled(reason)) => reason.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_release_takes_over() {
    let story = Story {
        gates: vec![error_rate(Unclear::Wait)],
        target: Fake::default().with(NEW, answers(100, 1)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(told.ended.unwrap(), Outcome::Completed);
    assert_eq!(
        told.calls[1..],
        [
            "scale r2 1",
            "route r1 50 %, r2 50 %",
            "route r2 100 %",
            "scale r1 0"
        ]
    );
    assert_eq!(told.seconds, 10, "the hold, and nothing beside it");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_fails_undoes_at_once_and_saves_the_evidence() {
    let story = Story {
        gates: vec![error_rate(Unclear::Wait)],
        target: Fake::default().with(NEW, answers(100, 20)),
        ..Story::default()
    };
    let told = story.told().await;
    let reason = reason(&told);
    assert_eq!(reason.why, Why::Gate);
    assert_eq!(reason.says, "error_rate 20.0 % is above 5.0 %");
    assert_eq!(told.calls[3..], ["route r1 100 %", "scale r2 0"]);
    let saved = |name| std::fs::read_to_string(told.evidence.path().join("0001").join(name));
    assert_eq!(saved("reason.txt").unwrap(), format!("{}\n", reason.says));
    assert_eq!(
        saved("r2-1.log").unwrap(),
        "starting\noh no: [PASSWORD redacted]\n"
    );
    assert_eq!(reason.lines, ["starting", "oh no: [PASSWORD redacted]"]);
    assert!(saved("verdicts.json").unwrap().contains("\"fail\""));
}

#[tokio::test(start_paused = true)]
async fn without_auto_undo_it_stalls_with_traffic_as_it_is() {
    let story = Story {
        gates: vec![error_rate(Unclear::Wait)],
        target: Fake::default().with(NEW, answers(100, 20)),
        auto_undo: false,
        ..Story::default()
    };
    let told = story.told().await;
    assert!(matches!(told.ended, Ok(Outcome::Stalled(_))));
    assert_eq!(told.calls.last().unwrap(), "route r1 50 %, r2 50 %");
}

#[tokio::test(start_paused = true)]
async fn what_an_unclear_gate_comes_to() {
    let cases = [
        (Unclear::Pass, None, 10),
        (
            Unclear::Fail,
            Some(
                "error_rate needs 17 more requests at this weight (3 of 20), and the hold is over",
            ),
            10,
        ),
        (
            Unclear::Wait,
            Some(
                "error_rate needs 17 more requests at this weight (3 of 20), and patience is over",
            ),
            70,
        ),
    ];
    for (unclear, says, seconds) in cases {
        let story = Story {
            gates: vec![error_rate(unclear)],
            target: Fake::default().with(NEW, answers(3, 0)),
            ..Story::default()
        };
        let told = story.told().await;
        match says {
            None => assert_eq!(told.ended.as_ref().unwrap(), &Outcome::Completed),
            Some(says) => assert_eq!(reason(&told).says, says),
        }
        assert_eq!(told.seconds, seconds, "{unclear:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_worse_than_the_stable_release_is_undone_at_once() {
    let story = Story {
        gates: vec![compared()],
        target: beside((500, 5), (500, 40)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "error_rate 8.0 % beside 1.0 %, more than chance explains"
    );
    assert_eq!(told.seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn a_harmless_one_goes_on_early_where_it_may() {
    for (early, seconds) in [(true, 0), (false, 10)] {
        let story = Story {
            gates: vec![MetricGate {
                early,
                ..compared()
            }],
            target: beside((9_000, 90), (9_000, 90)),
            ..Story::default()
        };
        let told = story.told().await;
        assert_eq!(told.ended.unwrap(), Outcome::Completed);
        assert_eq!(told.seconds, seconds, "early: {early}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_compared_is_unclear_and_says_what_is_missing() {
    let cases = [
        (
            (0, 0),
            (0, 0),
            "error_rate needs requests of both releases, to exclude a doubling of errors",
        ),
        (
            (0, 0),
            (900, 900),
            "error_rate needs conversations of both releases, to exclude a doubling of errors",
        ),
    ];
    for (stable, candidate, says) in cases {
        let story = Story {
            gates: vec![compared()],
            target: beside(stable, candidate),
            ..Story::default()
        };
        let told = story.told().await;
        let says = format!("{says}, and patience is over");
        assert_eq!(reason(&told).says, says);
        assert_eq!(told.seconds, 70);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_journaled_before_its_step_is_left() {
    let story = Story {
        gates: vec![compared()],
        target: beside((9_000, 90), (9_000, 90)),
        ..Story::default()
    };
    let told = story.told().await;
    let units = Units {
        begun: 9_000,
        failed: 90,
    };
    let counted = told.events.iter().filter_map(|event| match event {
        Event::Counted(counted) => Some((counted.weight, counted.stable, counted.candidate)),
        _ => None,
    });
    let counted: Vec<_> = counted.collect();
    assert_eq!(counted, [(Percent::new(50.0).unwrap(), units, units)]);
}

/// Conversations that were all answered, so many of them slowly.
fn answered(quick: u64, slow: u64) -> Measures {
    Measures {
        begun: quick + slow,
        conversations: quick + slow,
        slowest: vec![(100_000, quick), (200_000, slow)],
        ..Measures::default()
    }
}

fn against(metric: Metric) -> MetricGate {
    MetricGate {
        against: Some(spec::Against::Stable),
        unclear: Unclear::Pass,
        ..MetricGate::on(metric)
    }
}

fn timed(before: u64, stable: (u64, u64), candidate: (u64, u64)) -> Fake {
    let behaviour = |(quick, slow)| Behaviour {
        total: answered(before, before / 20),
        window: answered(quick, slow),
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slower_than_the_stable_release_is_undone() {
    let story = Story {
        gates: vec![against(Metric::LatencyP50)],
        target: timed(1_000, (900, 40), (500, 440)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "latency_p50 100 ms beside 100 ms, more than chance explains"
    );
    let marks = told.events.iter().filter_map(|event| match event {
        Event::Marked(marks) => Some(marks.clone()),
        _ => None,
    });
    let marks: Vec<_> = marks.collect();
    assert_eq!(
        marks,
        [BTreeMap::from([(0, vec![100_000, 100_000, 200_000])])]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_is_not_known_where_few_were_answered_before() {
    let story = Story {
        gates: vec![MetricGate {
            unclear: Unclear::Fail,
            ..against(Metric::LatencyP95)
        }],
        target: timed(50, (900, 40), (500, 440)),
        ..Story::default()
    };
    let told = story.told().await;
    let says = "latency_p95 cannot be compared: r1 had answered fewer than 100 conversations before this \
                step, so what is slow is not known, and the hold is over";
    assert_eq!(reason(&told).says, says);
}

fn used(tokens: u64, count: usize) -> Vec<Used> {
    let one = Used {
        tokens: Some(tokens),
        ..Used::default()
    };
    vec![one; count]
}

fn thrifty() -> MetricGate {
    MetricGate {
        cap: Some(10_000.0),
        ..against(Metric::TokensPerConversation)
    }
}

fn spends(stable: Vec<Used>, candidate: Vec<Used>) -> Fake {
    let behaviour = |used| Behaviour {
        used,
        ..Behaviour::default()
    };
    Fake::default()
        .with(OLD, behaviour(stable))
        .with(NEW, behaviour(candidate))
}

#[tokio::test(start_paused = true)]
async fn one_that_uses_more_than_the_stable_release_is_undone() {
    let story = Story {
        gates: vec![thrifty()],
        target: spends(used(1_000, 900), used(3_000, 900)),
        ..Story::default()
    };
    let says = reason(&story.told().await).says;
    assert!(says.starts_with("tokens_per_conversation "), "{says}");
    assert!(says.ends_with(", more than chance explains"), "{says}");
}

#[tokio::test(start_paused = true)]
async fn what_conversations_used_is_written_down_as_it_is_read_and_once() {
    let story = Story {
        gates: vec![thrifty()],
        target: spends(used(1_000, 1_700), used(1_000, 1_700)),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(told.ended.unwrap(), Outcome::Completed);
    let places = told.events.iter().filter_map(|event| match event {
        Event::Counted(counted) => {
            Some(counted.evidence.as_ref().unwrap()["place"]["next"].clone())
        }
        _ => None,
    });
    let places: Vec<_> = places.collect();
    assert_eq!(places, [1_000, 2_000, 3_000, 3_400]);
}

#[tokio::test(start_paused = true)]
async fn half_of_all_requests_failing_needs_no_gate() {
    let cases = [((20, 10), true), ((19, 19), false), ((40, 19), false)];
    for ((requests, errors), undone) in cases {
        let story = Story {
            target: Fake::default().with(NEW, answers(requests, errors)),
            ..Story::default()
        };
        let told = story.told().await;
        match undone {
            false => assert_eq!(told.ended.unwrap(), Outcome::Completed),
            true => {
                let reason = reason(&told);
                assert_eq!(reason.why, Why::Failing);
                assert_eq!(reason.says, "10 of 20 requests to r2 failed");
                assert_eq!(told.seconds, 0);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_both_releases_fail_at_once_is_not_undone() {
    let cases = [
        (
            (100, 45),
            "error_rate 45.0 % is above 5.0 %, and so is r1's, 40.0 %, and patience is over",
        ),
        ((100, 90), ""),
    ];
    for (candidate, says) in cases {
        let story = Story {
            gates: vec![error_rate(Unclear::Wait)],
            target: Fake::default()
                .with(OLD, answers(100, 40))
                .with(NEW, answers(candidate.0, candidate.1)),
            ..Story::default()
        };
        let told = story.told().await;
        match says {
            "" => assert!(matches!(told.ended, Ok(Outcome::RolledBack(_)))),
            says => {
                assert!(matches!(told.ended, Ok(Outcome::Stalled(_))));
                assert_eq!(
                    (reason(&told).why, reason(&told).says.as_str()),
                    (Why::Outage, says)
                );
                assert_eq!(told.seconds, 60, "the patience of the plan");
                assert_eq!(told.calls.last().unwrap(), "route r1 50 %, r2 50 %");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_that_keep_exiting_are_not_waited_for() {
    let crashes = Behaviour {
        crashes: true,
        ..Behaviour::default()
    };
    let story = Story {
        target: Fake::default().with(NEW, crashes),
        ..Story::default()
    };
    let told = story.told().await;
    let reason = reason(&told);
    assert_eq!(reason.why, Why::NotReady);
    assert_eq!(reason.says, "r2-1 exited with status 1, 3 times in a row");
    assert_eq!(told.seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_a_place_can_be_late() {
    let waits = Behaviour {
        awaits: std::time::Duration::from_secs(600),
        ..Behaviour::default()
    };
    let story = |one_set| Story {
        target: Fake::default().with(NEW, waits.clone()),
        one_set,
        ..Story::default()
    };
    let late = reason(&story(false).told().await);
    assert_eq!(late.says, "0 of 1 replicas of r2 got ready in time");
    let told = story(true).told().await;
    assert_eq!(told.ended.unwrap(), Outcome::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_lost_replica_fails_the_gate_that_is_asked() {
    let breaks = Behaviour {
        breaks_at: Percent::new(50.0),
        ..Behaviour::default()
    };
    let story = Story {
        target: Fake::default().with(NEW, breaks),
        ..Story::default()
    };
    let reason = reason(&story.told().await);
    assert_eq!(reason.why, Why::LostReadiness);
    assert_eq!(
        reason.says,
        "r2 has 0 of 1 replicas ready: r2-1 exited with status 1"
    );
}

#[tokio::test(start_paused = true)]
async fn an_abort_from_elsewhere_undoes() {
    let story = Story {
        asked: Some(ABORT),
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(reason(&told).why, Why::Aborted);
    let aborted = Event::Aborted("bob@elsewhere".to_owned());
    assert!(told.events.contains(&aborted));
}

#[tokio::test(start_paused = true)]
async fn an_early_yes_is_no_yes() {
    let story = Story {
        approval: true,
        asked: Some(APPROVE),
        interrupt: None,
        ..Story::default()
    };
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(1000), story.told());
    assert!(waiting.await.is_err(), "it waits for a yes at the gate");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_undoes_and_twice_leaves_it_standing() {
    let abort = Story {
        interrupt: Some(Interrupt::Abort),
        ..Story::default()
    };
    assert_eq!(reason(&abort.told().await).why, Why::Aborted);
    let leave = Story {
        interrupt: Some(Interrupt::Leave),
        ..Story::default()
    };
    let told = leave.told().await;
    assert!(told.ended.unwrap_err().is::<Left>());
    assert!(told.calls.len() <= 1, "nothing was done after that");
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_asked_before_any_traffic() {
    let busy = Behaviour {
        status: Some(503),
        ..Behaviour::default()
    };
    let probe = serde_json::json!({ "request": { "path": "/chat" } });
    let story = Story {
        target: Fake::default().with(NEW, busy),
        probes: vec![serde_json::from_value(probe).unwrap()],
        ..Story::default()
    };
    let told = story.told().await;
    assert_eq!(
        reason(&told).says,
        "probe GET /chat: r2-1 answered 503 instead of 200: {}"
    );
    assert!(!told.calls.iter().any(|call| call.contains("r2 50 %")));
}
