use super::*;
use crate::analysis::Finding;
use crate::rollout::samples::plan_for;
use crate::rollout::{Live, Side};
use crate::spec::{self, Metric, MetricGate, Percent, Period, RolloutStep, Strategy, Unclear};

const HOLD: u64 = 10_000;

/// At half of the traffic, since the first moment.
fn holding(unclear: &[Unclear]) -> Rollout {
    let step = |weight, hold| RolloutStep::Weight {
        weight: Percent::new(weight).unwrap(),
        hold: Period::millis(hold),
    };
    let wanted = spec::Rollout {
        strategy: Strategy::Canary,
        steps: vec![step(50.0, HOLD), step(100.0, 0)],
        ..spec::Rollout::default()
    };
    let gates = unclear.iter().map(|unclear| MetricGate {
        name: Some(name(*unclear)),
        unclear: *unclear,
        ..MetricGate::on(Metric::ErrorRate)
    });
    let plan = plan_for(Some(1), 2, &wanted, &gates.collect::<Vec<_>>());
    let mut rollout = Rollout::begin(Stamp(0), plan).unwrap();
    let side = Side {
        wanted: 1,
        ready: 1,
        ..Side::default()
    };
    let live = Live {
        stable: side,
        candidate: side,
        weight: Percent::new(50.0),
        ..Live::default()
    };
    rollout.apply(Stamp(0), Event::Observed(live)).unwrap();
    rollout
}

fn name(unclear: Unclear) -> String {
    format!("{unclear:?}")
}

fn verdict(unclear: Unclear, finding: Finding, both: bool) -> Verdict {
    Verdict {
        gate: name(unclear),
        finding,
        figure: None,
        says: format!("{unclear:?} says"),
        evidence: None,
        both,
    }
}

/// What is told of these looks, each at its moment.
fn told(gates: &[Unclear], looks: &[(u64, Vec<Verdict>)]) -> Vec<(Moment, String)> {
    let (sender, mut box_) = Sender::kept();
    let subject = Subject {
        agent: "bot".to_owned(),
        environment: None,
        rollout: 2,
    };
    let herald = Herald::new(subject, Notify::default(), sender, Redactor::default());
    let rollout = holding(gates);
    for (at, verdicts) in looks {
        herald.glimpse(&rollout, verdicts, Stamp(*at));
    }
    let heard = std::iter::from_fn(|| box_.try_recv().ok());
    heard.map(|message| (message.event, message.says)).collect()
}

#[test]
fn a_gate_that_asks_a_person_tells_so_once_its_hold_is_over() {
    let both = [Unclear::Wait, Unclear::Approve];
    let unclear = both.map(|policy| verdict(policy, Finding::Unclear, false));
    let looks = [
        (HOLD - 1, unclear.to_vec()),
        (HOLD, unclear.to_vec()),
        (HOLD + 1_000, unclear.to_vec()),
    ];
    let says = "r1 → r2 waits for agentctl approve at 50 %: Approve says".to_owned();
    assert_eq!(told(&both, &looks), [(Moment::NeedsApproval, says)]);
}

#[test]
fn one_that_waited_and_then_asks_tells_both() {
    let gates = [Unclear::Wait, Unclear::Approve];
    let look = |waits, asks| {
        vec![
            verdict(Unclear::Wait, waits, false),
            verdict(Unclear::Approve, asks, false),
        ]
    };
    let looks = [
        (HOLD, look(Finding::Unclear, Finding::Pass)),
        (HOLD + 1, look(Finding::Pass, Finding::Unclear)),
        (HOLD + 2, look(Finding::Unclear, Finding::Pass)),
    ];
    let moments: Vec<_> = told(&gates, &looks)
        .into_iter()
        .map(|(moment, _)| moment)
        .collect();
    assert_eq!(moments, [Moment::Paused, Moment::NeedsApproval]);
}

#[test]
fn an_outage_pauses_at_once_and_what_passes_or_may_tells_nothing() {
    let quiet = [Unclear::Pass, Unclear::Fail];
    let unclear = quiet.map(|policy| verdict(policy, Finding::Unclear, false));
    let looks = [(HOLD, unclear.to_vec())];
    assert_eq!(told(&quiet, &looks), []);
    let asks = [Unclear::Fail, Unclear::Approve];
    for failed in [Finding::Fail, Finding::Unclear] {
        let verdicts = vec![
            verdict(Unclear::Fail, failed, false),
            verdict(Unclear::Approve, Finding::Unclear, false),
        ];
        assert_eq!(told(&asks, &[(HOLD, verdicts)]), [], "it is undone");
    }
    let outage = vec![verdict(Unclear::Pass, Finding::Unclear, true)];
    let looks = [(1_000, outage.clone()), (2_000, outage)];
    let says = "r1 → r2 waits at 50 %: Pass says".to_owned();
    assert_eq!(told(&quiet, &looks), [(Moment::Paused, says)]);
}
