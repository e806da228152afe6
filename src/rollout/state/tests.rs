use super::*;
use crate::analysis::{Finding, Verdict};
use crate::release::ReleaseId;
use crate::rollout::{Side, Slot, Waits};
use crate::spec::{Against, Metric, MetricGate, Period, Strategy, Unclear};

/// Two replicas, blue-green, with these gates beside each other.
fn plan(gates: &[Gate], auto_undo: bool) -> Plan {
    let beside = Step {
        gates: gates.to_vec(),
        ..Step::new(2, 2, Percent::FULL)
    };
    Plan {
        by: String::new(),
        because: None,
        chosen: None,
        goes_back: false,
        sticky: true,
        strategy: Strategy::BlueGreen,
        from: Some(ReleaseId(1)),
        to: ReleaseId(2),
        steps: vec![beside, Step::new(0, 2, Percent::FULL)],
        undo: vec![Step::new(2, 0, Percent::ZERO)],
        limit: None,
        one_set: false,
        auto_undo,
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
    }
}

fn world(stable: u32, candidate: u32, weight: Percent) -> Event {
    let side = |count| Side {
        wanted: count,
        ready: count,
        ..Side::default()
    };
    Event::Observed(Live {
        stable: side(stable),
        candidate: side(candidate),
        weight: Some(weight),
        mirror: Default::default(),
        others: Vec::new(),
    })
}

fn before() -> Event {
    world(2, 0, Percent::ZERO)
}

fn beside() -> Event {
    world(2, 2, Percent::FULL)
}

fn failed(effect: Effect, why: Why) -> Event {
    Event::Failed(effect, reason(why))
}

fn reason(why: Why) -> Reason {
    Reason::new(why, String::new())
}

fn resumed() -> Event {
    Event::Resumed("bob".to_owned())
}

fn aborted() -> Event {
    Event::Aborted("ann".to_owned())
}

fn hold(secs: u64) -> Gate {
    Gate::Hold(Period::secs(secs))
}

/// At 0, 1, 2, …
fn replay(gates: &[Gate], auto_undo: bool, events: &[Event]) -> Rollout {
    try_replay(gates, auto_undo, events).unwrap()
}

fn try_replay(gates: &[Gate], auto_undo: bool, events: &[Event]) -> Result<Rollout> {
    let planned = Event::Planned(Box::new(plan(gates, auto_undo)));
    let events = [planned].into_iter().chain(events.iter().cloned());
    Rollout::replay(
        events
            .enumerate()
            .map(|(at, event)| (Stamp(at as u64), event)),
    )
}

fn run(effect: Effect) -> Next {
    Next::Run(effect)
}

#[test]
fn a_rollout_that_works_goes_row_by_row() {
    let grow = Effect::Scale(Slot::Candidate, 2);
    let wait = Effect::AwaitReady(Slot::Candidate, 2);
    let route = Effect::Route(Percent::FULL);
    let shrink = Effect::Scale(Slot::Stable, 0);
    let mut rollout = replay(&[], true, &[]);
    assert_eq!(rollout.next(), run(Effect::Observe));
    rollout.apply(Stamp(1), before()).unwrap();
    for effect in [grow, wait, route, shrink] {
        assert_eq!(rollout.next(), run(effect.clone()));
        rollout.apply(Stamp(2), Event::Done(effect)).unwrap();
    }
    assert_eq!(rollout.next(), Next::Finish(Outcome::Completed));
}

#[test]
fn each_gate_is_asked_from_when_the_one_before_it_opened() {
    let gates = [hold(60), hold(900)];
    let first = replay(&gates, true, &[beside()]);
    assert_eq!(first.gate(), Some((&gates[0], Stamp(1))));
    let done = Event::Done(Effect::Ask(hold(60)));
    let second = replay(
        &gates,
        true,
        &[beside(), resumed(), beside(), done.clone(), beside()],
    );
    assert_eq!(second.reached(), Some(Stamp(1)));
    assert_eq!(second.gate(), Some((&gates[1], Stamp(4))));
    assert_eq!(second.next(), run(Effect::Ask(hold(900))));
    let looks = replay(&gates, true, &[beside(), done]);
    assert_eq!(looks.next(), run(Effect::Observe));
}

#[test]
fn a_restart_does_not_restart_a_hold() {
    let gates = [hold(60)];
    let rollout = replay(&gates, true, &[beside(), resumed(), resumed(), beside()]);
    assert_eq!(rollout.gate(), Some((&gates[0], Stamp(1))));
}

#[test]
fn a_yes_opens_the_gate_that_waits_for_it_and_no_other() {
    let gates = [hold(60), Gate::Approve("go".to_owned())];
    let yes = || Event::Approved("ann".to_owned());
    let early = replay(&gates, true, &[yes(), beside(), yes()]);
    assert_eq!(early.gate(), Some((&gates[0], Stamp(2))));
    let done = Event::Done(Effect::Ask(hold(60)));
    let open = replay(&gates, true, &[beside(), done, resumed(), yes(), beside()]);
    assert_eq!(open.phase(), Phase::CleaningUp);
}

#[test]
fn a_failure_undoes_and_keeps_its_reason() {
    let gates = [hold(60)];
    let fail = failed(Effect::Ask(hold(60)), Why::Gate);
    let undone = replay(&gates, true, &[beside(), fail, before()]);
    assert_eq!(undone.phase(), Phase::Undoing(&reason(Why::Gate)));
    assert_eq!(
        undone.next(),
        Next::Finish(Outcome::RolledBack(reason(Why::Gate)))
    );
}

#[test]
fn without_auto_undo_a_failed_gate_waits_for_a_person() {
    let gates = [hold(60)];
    let ask = Effect::Ask(hold(60));
    let fail = failed(ask.clone(), Why::Gate);
    let stalled = replay(&gates, false, &[beside(), fail.clone()]);
    assert_eq!(
        stalled.next(),
        Next::Finish(Outcome::Stalled(reason(Why::Gate)))
    );

    let end = Event::Finished(Outcome::Stalled(reason(Why::Gate)));
    let again = replay(
        &gates,
        false,
        &[beside(), fail.clone(), end.clone(), resumed(), beside()],
    );
    assert_eq!(again.next(), run(ask.clone()));
    let undone = replay(&gates, false, &[beside(), fail, end, aborted()]);
    assert!(matches!(undone.phase(), Phase::Undoing(_)));
    assert_eq!(undone.next(), run(Effect::Observe));

    for why in [Why::LostReadiness, Why::NotReady, Why::Target] {
        let undone = replay(&gates, false, &[beside(), failed(ask.clone(), why)]);
        assert!(matches!(undone.phase(), Phase::Undoing(_)), "{why:?}");
    }
}

#[test]
fn a_person_is_called_after_three_failures_in_a_row() {
    let shrink = Effect::Scale(Slot::Stable, 0);
    let look = || failed(Effect::Observe, Why::Target);
    let fail = || failed(shrink.clone(), Why::Target);
    let stalled = Next::Finish(Outcome::Stalled(reason(Why::Target)));

    assert_eq!(
        replay(&[], true, &[look(), look()]).next(),
        run(Effect::Observe)
    );
    assert_eq!(replay(&[], true, &[look(), look(), look()]).next(), stalled);

    let clean_up = [beside(), fail(), beside(), fail(), beside(), fail()];
    let rollout = replay(&[], true, &clean_up);
    assert_eq!(rollout.phase(), Phase::CleaningUp);
    assert_eq!(rollout.next(), stalled);

    let undo = [aborted(), look(), look(), look()];
    assert_eq!(replay(&[], true, &undo).next(), stalled);
    let worked = [
        beside(),
        fail(),
        fail(),
        Event::Done(Effect::Observe),
        fail(),
    ];
    assert_eq!(replay(&[], true, &worked).next(), run(Effect::Observe));
}

#[test]
fn an_abort_changes_nothing_once_it_is_undone_or_cleaned_up() {
    let clean_up = replay(&[], true, &[beside(), aborted(), beside()]);
    assert_eq!(clean_up.next(), run(Effect::Scale(Slot::Stable, 0)));
    let fail = failed(Effect::Observe, Why::Target);
    let undone = replay(&[], true, &[aborted(), fail, aborted(), before()]);
    assert!(
        matches!(undone.next(), Next::Finish(Outcome::RolledBack(reason)) if reason.why == Why::Aborted)
    );
}

#[test]
fn a_person_may_be_too_late() {
    let end = Event::Finished(Outcome::Completed);
    let done = replay(&[], true, &[world(0, 2, Percent::FULL), end.clone()]);
    let late = Event::Approved("ann".to_owned());
    let same = replay(
        &[],
        true,
        &[world(0, 2, Percent::FULL), end, late, aborted()],
    );
    assert_eq!(done, same);
}

#[test]
fn what_is_no_rollout_is_refused() {
    let end = || Event::Finished(Outcome::Completed);
    let second = Event::Planned(Box::new(plan(&[], true)));
    for (events, says) in [
        (vec![second], "a second plan"),
        (vec![end(), beside()], "after the rollout's end"),
        (vec![end(), resumed()], "after the rollout's end"),
    ] {
        let error = try_replay(&[], true, &events).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert!(Rollout::replay([]).is_err());
    assert!(Rollout::replay([(Stamp(0), beside())]).is_err());
    let mut damaged = plan(&[], true);
    damaged.undo.clear();
    assert!(Rollout::begin(Stamp(0), damaged).is_err());
}

#[test]
fn a_gate_that_compares_asks_nobody_where_nothing_runs_beside_it() {
    let asks = |against| {
        let gate = MetricGate {
            unclear: Unclear::Approve,
            against,
            ..MetricGate::on(Metric::ErrorRate)
        };
        let plan = Plan {
            gates: vec![gate],
            ..plan(&[hold(0)], true)
        };
        let mut rollout = Rollout::begin(Stamp(0), plan).unwrap();
        rollout.apply(Stamp(1), beside()).unwrap();
        rollout.may_ask(Stamp(2))
    };
    assert!(asks(None));
    assert!(!asks(Some(Against::Stable)));
}

#[test]
fn a_person_is_asked_where_a_gate_that_asks_one_cannot_say_and_nothing_is_wrong() {
    let gate = |unclear| MetricGate {
        name: Some(format!("{unclear:?}")),
        unclear,
        ..MetricGate::on(Metric::ErrorRate)
    };
    let plan = Plan {
        gates: vec![gate(Unclear::Wait), gate(Unclear::Approve)],
        ..plan(&[hold(10)], true)
    };
    let mut rollout = Rollout::begin(Stamp(0), plan).unwrap();
    rollout.apply(Stamp(1), beside()).unwrap();
    let verdict = |unclear, finding, both| Verdict {
        gate: format!("{unclear:?}"),
        finding,
        figure: None,
        says: String::new(),
        evidence: None,
        both,
    };
    let stands = |waits: Finding, asks: Finding, both, at| {
        let verdicts = [
            verdict(Unclear::Wait, waits, both),
            verdict(Unclear::Approve, asks, false),
        ];
        let stands = rollout.stands(&verdicts, Stamp(at));
        let waits = stands.map(|(waits, _)| waits);
        let asks = rollout.asks(&verdicts, Stamp(at)).is_some();
        assert_eq!(asks, waits == Some(Waits::Person));
        waits
    };
    use Finding::{Fail, Pass, Unclear as Unknown};
    let over = 20_000;
    for (wait, approve, both, at, wanted) in [
        (Pass, Unknown, false, over, Some(Waits::Person)),
        (Unknown, Unknown, false, over, Some(Waits::Person)),
        (Unknown, Unknown, false, 5_000, None),
        (Unknown, Pass, false, over, Some(Waits::Evidence)),
        (Unknown, Unknown, true, over, Some(Waits::Outage)),
        (Unknown, Pass, true, 5_000, Some(Waits::Outage)),
        (Fail, Unknown, false, over, None),
        (Pass, Pass, false, over, None),
    ] {
        let found = stands(wait, approve, both, at);
        assert_eq!(found, wanted, "{wait:?} {approve:?} {both} {at}");
    }
}

#[test]
fn a_stable_release_that_was_promoted_stays_and_says_who_said_so() {
    let rolled_back = Outcome::RolledBack(Reason::new(Why::Kept, "r1 was promoted by ann"));
    let kept = Event::Kept("ann".to_owned());
    let rollout = replay(&[hold(60)], true, &[beside(), kept, before()]);
    assert_eq!(rollout.next(), Next::Finish(rolled_back));
}
