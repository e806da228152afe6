use super::super::{
    ConversationKey, Expect, Percent, Probe, Rollout, RolloutStep, Shadow, Spec, Strategy,
};
use super::Check;

/// Where requests are copied there have to be some.
pub(super) fn shadow(spec: &Spec, check: &mut Check<'_>) {
    let rollout = &spec.rollout;
    if !spec.may_shadow() {
        return unshadowed(rollout, check);
    }
    if !spec.agent.kind.serves() {
        let message = "nobody sends requests to a worker, so there are none to copy";
        check.refuse_with("rollout.strategy", message, "strategy = \"rolling\"");
    }
    if rollout.mirror == Percent::ZERO {
        let message = "without a share nothing is copied";
        check.refuse_with("rollout.mirror", message, "mirror = 100");
    }
    check.above_zero("rollout.shadow.hold", rollout.shadow.hold);
    if let Some(most) = rollout.shadow.at_most {
        check.above_zero("rollout.shadow.at_most", most);
    }
    if rollout
        .shadow
        .max_cost
        .is_some_and(|most| most <= 0.0 || most.is_nan())
    {
        let message = "a limit of nothing copies nothing";
        check.refuse_with("rollout.shadow.max_cost", message, "max_cost = 5.0");
    }
    if rollout.shadow.capture.is_none() && !rollout.shadow.redact.is_empty() {
        let message = "nothing is kept that something could be left out of";
        check.refuse_with(
            "rollout.shadow.redact",
            message,
            "capture = \"pairs.jsonl\"",
        );
    }
}

/// Two arms need to be told apart, and to be let be.
pub(super) fn ab(spec: &Spec, check: &mut Check<'_>) {
    let rollout = &spec.rollout;
    if rollout.strategy != Strategy::Ab {
        return untested(rollout, check);
    }
    if !spec.agent.kind.serves() {
        let message = "nobody sends requests to a worker, so there are none to tell apart";
        check.refuse_with("rollout.strategy", message, "strategy = \"rolling\"");
    }
    if rollout.says.is_empty() && rollout.user.is_none() {
        let message = "an A/B test has to know who gets which release";
        let hint = "match = [\"header:X-Beta=true\"], or user = \"header:X-User-Id\"";
        check.refuse_with("rollout.strategy", message, hint);
    }
    if matches!(rollout.user, Some(ConversationKey::Json(_))) {
        let message = "a user is named by a header, a cookie or the query";
        check.refuse_with("rollout.user", message, "user = \"header:X-User-Id\"");
    }
    if rollout.split == Percent::ZERO || rollout.split == Percent::FULL {
        check.refuse_with("rollout.split", "one arm has no users", "split = 50");
    }
    let compares = spec.gate.iter().position(|gate| gate.against.is_some());
    if let Some(at) = compares.filter(|_| !rollout.says.is_empty()) {
        let message = "who says something to get a release is not like the others: the arms of a \
                       match cannot be compared";
        let hint = "user = \"header:X-User-Id\" without match, which draws lots";
        check.refuse_with(&format!("gate.{at}.against"), message, hint);
    }
}

fn untested(rollout: &Rollout, check: &mut Check<'_>) {
    let given = [
        ("rollout.match", !rollout.says.is_empty()),
        ("rollout.user", rollout.user.is_some()),
        ("rollout.split", rollout.split != Rollout::default().split),
    ];
    for (path, _) in given.into_iter().filter(|(_, given)| *given) {
        let message = "only an A/B test tells users apart";
        check.refuse_with(path, message, "strategy = \"ab\"");
    }
}

fn unshadowed(rollout: &Rollout, check: &mut Check<'_>) {
    let given = [
        ("rollout.mirror", rollout.mirror != Percent::FULL),
        ("rollout.shadow", rollout.shadow != Shadow::default()),
    ];
    for (path, _) in given.into_iter().filter(|(_, given)| *given) {
        let message = "only a shadow copies requests";
        check.refuse_with(path, message, "strategy = \"shadow\"");
    }
}

pub(super) fn check(rollout: &Rollout, check: &mut Check<'_>) {
    if rollout.max_surge == 0 && rollout.max_unavailable == 0 {
        let message = "with max_surge and max_unavailable both 0 no replica can be replaced";
        check.refuse_with("rollout.max_unavailable", message, "max_surge = 1");
    }
    check.above_zero("rollout.settle", rollout.settle);
    for (at, one) in rollout.probe.iter().enumerate() {
        probe(one, &format!("rollout.probe.{at}"), check);
    }
    match (rollout.strategy, rollout.steps.as_slice()) {
        (_, []) => {}
        (Strategy::Canary | Strategy::Shadow | Strategy::Auto, steps) => self::steps(steps, check),
        (_, _) => check.refuse_with(
            "rollout.steps",
            "only a canary and a shadow have steps",
            "strategy = \"canary\", or leave the steps out; in an environment: rollout.steps = []",
        ),
    }
}

fn probe(probe: &Probe, path: &str, check: &mut Check<'_>) {
    check.above_zero(&format!("{path}.expect.within"), probe.expect.within);
    for (at, turn) in probe.turns.iter().enumerate() {
        let within = format!("{path}.turns.{at}.expect.within");
        check.above_zero(&within, turn.expect.within);
    }
    match (&probe.request, probe.turns.is_empty()) {
        (None, true) => {
            let hint = "request = { path = \"/\" }";
            check.refuse_with(path, "\"request\" is missing in a probe", hint);
        }
        (Some(_), false) => {
            let message = "a probe has one request, or turns";
            check.refuse(&format!("{path}.turns"), message);
        }
        (None, false) if probe.expect != Expect::default() => {
            let hint = "turns = [{ request = { … }, expect = { … } }]";
            let message = "what must come back is said in each turn";
            check.refuse_with(&format!("{path}.expect"), message, hint);
        }
        _ => {}
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
