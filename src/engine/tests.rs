mod against_stable;
mod gates;
mod waits;

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
use crate::target::fake::{Behaviour, Fake};
use crate::target::{Traffic, contract};

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
    in_place: bool,
    keeps: bool,
    probes: Vec<spec::Probe>,
    /// An abandoned rollout has split the traffic already, as this one wants it.
    left_split: bool,
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
            in_place: false,
            keeps: true,
            probes: Vec::new(),
            left_split: false,
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
        let plan = Plan {
            auto_undo: self.auto_undo,
            one_set: self.one_set,
            ..plan_for(Some(1), 2, &rollout, &self.gates)
        };
        match self.in_place {
            true => plan.in_place(),
            false => plan,
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
            if release.id == OLD || self.left_split {
                self.target.scale(&release, 1).await.unwrap();
            }
        }
        if self.left_split {
            self.target.route(&halves()).await.unwrap();
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
            evidence: self.keeps.then(|| evidence.path().join("0001")),
            number: 1,
            rollout,
            noted: Noted::default(),
            judging: Judging::default(),
            kept: Kept::default(),
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

fn halves() -> Traffic {
    let half = Percent::new(50.0).unwrap();
    Traffic {
        shares: BTreeMap::from([(OLD, half), (NEW, half)]),
        keys: Vec::new(),
        sticky: false,
        settle: None,
        mirror: None,
        arms: None,
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

#[tokio::test]
async fn of_a_release_that_is_gone_it_is_said_what_to_type() {
    let error = release(&Memory::default(), OLD).await.unwrap_err();
    assert_eq!(format!("{error:#}"), "release r1 is not kept any more");
    let hint = crate::advice::hint(&error).unwrap();
    assert!(hint.starts_with("agentctl history"), "{hint}");
}
