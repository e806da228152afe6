//! The tables, exactly as they are printed.

use super::fixtures::*;
use super::*;
use crate::release::ReleaseId;
use crate::rollout::{Outcome, Reason, Stamp, Why};
use crate::target::Log;

fn printed(view: &impl console::View) -> String {
    text(&view.lines(&clock(7_212)))
}

fn past(rollout: u64, outcome: Option<Outcome>) -> Past {
    Past {
        rollout,
        started: NOON,
        finished: outcome.as_ref().map(|_| after(72)),
        strategy: crate::spec::Strategy::Canary,
        from: Some(ReleaseId(12)),
        to: ReleaseId(13),
        by: "anna@laptop".to_owned(),
        end: End(outcome),
    }
}

fn rolled_back() -> Outcome {
    Outcome::RolledBack(Reason {
        why: Why::Gate,
        says: "error_rate 33.3 % is above 5.0 %".to_owned(),
        evidence: Some("evidence/6".to_owned()),
    })
}

fn status() -> Status {
    let rollout = replay(&events());
    let seen = seen();
    Status {
        agent: "support-agent".to_owned(),
        environment: "production".to_owned(),
        url: seen.url.clone(),
        releases: Serving::during(&rollout, &seen),
        rollout: Some(Running::of(
            7,
            &rollout,
            &seen,
            after(12),
            Some("anna@laptop, pid 4711".to_owned()),
        )),
        last: Some(past(6, Some(rolled_back()))),
    }
}

#[test]
fn status_text() {
    assert_eq!(printed(&status()), "");
}

#[test]
fn status_of_nothing() {
    let nothing = Status {
        url: None,
        releases: Vec::new(),
        rollout: None,
        last: None,
        ..status()
    };
    assert_eq!(
        printed(&nothing),
        "support-agent   production\n\nnothing runs: agentctl deploy starts it\n"
    );
}

#[test]
fn history_text() {
    let rollouts = vec![
        past(8, None),
        past(7, Some(Outcome::Completed)),
        past(6, Some(rolled_back())),
    ];
    let history = History {
        agent: "support-agent".to_owned(),
        environment: "production".to_owned(),
        rollouts,
    };
    assert_eq!(printed(&history), "");
}

#[test]
fn plan_text() {
    let plan = plan();
    let changes = ["command: python app.py → python -m app".to_owned()];
    let view = PlanView {
        agent: "support-agent",
        environment: "production",
        changes: &changes,
        plan: &plan,
    };
    assert_eq!(printed(&view), "");
}
