use super::super::{Percent, Risk, Rollout, RolloutStep, Spec, Strategy};
use super::Check;

/// What a release of high risk is owed is a shadow first.
pub(super) fn risk(spec: &Spec, check: &mut Check<'_>) {
    if spec.agent.risk == Risk::High && spec.rollout.strategy == Strategy::Auto {
        check.refuse_with(
            "agent.risk",
            "with risk = \"high\" auto begins with a shadow, which is not supported by this version of agentctl",
            "strategy = \"canary\", with a first step of little weight",
        );
    }
}

pub(super) fn check(rollout: &Rollout, check: &mut Check<'_>) {
    if rollout.max_surge == 0 && rollout.max_unavailable == 0 {
        let message = "with max_surge and max_unavailable both 0 no replica can be replaced";
        check.refuse_with("rollout.max_unavailable", message, "max_surge = 1");
    }
    for (at, probe) in rollout.probe.iter().enumerate() {
        check.above_zero(
            &format!("rollout.probe.{at}.expect.within"),
            probe.expect.within,
        );
    }
    match (rollout.strategy, rollout.steps.as_slice()) {
        (_, []) => {}
        (Strategy::Canary | Strategy::Auto, steps) => self::steps(steps, check),
        (_, _) => check.refuse_with(
            "rollout.steps",
            "only a canary has steps",
            "strategy = \"canary\", or leave the steps out",
        ),
    }
}

fn steps(steps: &[RolloutStep], check: &mut Check<'_>) {
    let mut reached = Percent::ZERO;
    for (at, step) in steps.iter().enumerate() {
        match step {
            RolloutStep::Weight { weight, .. } => {
                rises(reached, *weight, at, check);
                reached = reached.max(*weight);
            }
            RolloutStep::Approve { .. } if reached == Percent::FULL => check.refuse(
                &format!("rollout.steps.{at}"),
                "an approval after weight = 100 comes too late: all traffic has moved",
            ),
            RolloutStep::Approve { .. } => {}
        }
    }
    if reached != Percent::FULL {
        let last = format!("rollout.steps.{}", steps.len().saturating_sub(1));
        check.refuse_with(
            &last,
            "the last step must be weight = 100",
            "add { weight = 100 }",
        );
    }
}

fn rises(reached: Percent, weight: Percent, at: usize, check: &mut Check<'_>) {
    if weight <= reached {
        let path = format!("rollout.steps.{at}.weight");
        check.refuse(
            &path,
            format!("weights must rise: {weight} does not come after {reached}"),
        );
    }
}
