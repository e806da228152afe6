use std::collections::BTreeSet;

use super::super::{
    Bound, GateSource, Metric, MetricGate, Percent, Period, Rollout, RolloutStep, Spec, Strategy,
    Unclear,
};
use super::{Check, judge, source};

pub(super) fn check(spec: &Spec, check: &mut Check<'_>) {
    let mut names = BTreeSet::new();
    for (at, gate) in spec.gate.iter().enumerate() {
        let path = format!("gate.{at}");
        match &gate.source {
            Some(asked) => sourced(gate, asked, &path, spec, check),
            None if gate.metric == Metric::Sourced => {
                let hint = "metric = \"error_rate\", or a source";
                check.refuse_with(&path, "\"metric\" is missing in a gate", hint);
            }
            None => measured(gate, &path, check),
        }
        if let Some(why) = alone(gate, &spec.rollout) {
            let hint = "strategy = \"canary\" under [rollout], and steps with a hold below 100 %";
            check.refuse_with(&format!("{path}.against"), why, hint);
        }
        if let Some(name) = gate.name.as_deref().filter(|name| !names.insert(*name)) {
            check.refuse(
                &format!("{path}.name"),
                format!("another gate is called \"{name}\""),
            );
        }
    }
}

/// Why a gate that compares would never be asked where that means something.
fn alone(gate: &MetricGate, rollout: &Rollout) -> Option<&'static str> {
    gate.against?;
    // Others are refused for it already.
    let can_compare = gate.source.is_none() || gate.judge().is_some();
    match rollout.strategy {
        _ if !can_compare => None,
        Strategy::Rolling | Strategy::BlueGreen => Some(
            "this strategy judges gates at 100 %, where the stable release has no traffic to compare with",
        ),
        Strategy::Canary if !rollout.steps.is_empty() => unseen(gate, &rollout.steps),
        // What auto will choose is not known here.
        Strategy::Canary | Strategy::Shadow | Strategy::Ab | Strategy::Auto => None,
    }
}

fn unseen(gate: &MetricGate, steps: &[RolloutStep]) -> Option<&'static str> {
    let shared = while_both_have_traffic(steps);
    let takes_time = |step: &RolloutStep| match step {
        RolloutStep::Weight { hold, .. } => !hold.is_zero(),
        RolloutStep::Approve { .. } => true,
    };
    match shared {
        [] => Some("no step is below 100 %, so the stable release has no traffic to compare with"),
        steps if gate.unclear == Unclear::Pass && !steps.iter().any(takes_time) => Some(
            "no step below 100 % has a hold: it would be looked at once, and pass with nothing seen",
        ),
        _ => None,
    }
}

fn while_both_have_traffic(steps: &[RolloutStep]) -> &[RolloutStep] {
    let weighs = |step: &RolloutStep| matches!(step, RolloutStep::Weight { .. });
    let is_full = |step: &RolloutStep| matches!(step, RolloutStep::Weight { weight, .. } if *weight == Percent::FULL);
    let begin = steps.iter().position(weighs).unwrap_or(steps.len());
    let end = steps.iter().position(is_full).unwrap_or(steps.len());
    steps.get(begin..end).unwrap_or_default()
}

fn measured(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    if gate.every.is_some() {
        check.refuse(
            &format!("{path}.every"),
            "every is for a gate with a source",
        );
    }
    bounds(gate, path, check);
}

fn sourced(gate: &MetricGate, asked: &GateSource, path: &str, spec: &Spec, check: &mut Check<'_>) {
    if gate.metric != Metric::Sourced {
        check.refuse(
            &format!("{path}.metric"),
            "a gate with a source has no metric",
        );
    }
    if gate.name.is_none() {
        let hint = "name = \"answer_quality\"";
        check.refuse_with(path, "a gate with a source needs a name", hint);
    }
    if let Some(every) = gate.every {
        above_zero(gate, "every", every, path, check);
    }
    if let GateSource::Judge { judge } = asked {
        return judge::gate(gate, judge, path, spec, check);
    }
    if gate.against.is_some() {
        let hint =
            "a query may divide the one release's figure by the other's: {release}, {stable}";
        let message = "what a source says cannot be compared";
        check.refuse_with(&format!("{path}.against"), message, hint);
    }
    let is_bounded = gate.least().is_some() || gate.most().is_some();
    match (asked.is_answer(), is_bounded) {
        (true, true) => {
            let hint = "json = \"$.score\" in the source, if it prints a number";
            check.refuse_with(path, "a yes or no has no max or min", hint);
        }
        (true, false) => {}
        (false, _) => bounds(gate, path, check),
    }
    source::reachable(asked, &format!("{path}.source"), spec, check);
}

fn bounds(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    if gate.against.is_some() {
        return compares(gate, path, check);
    }
    let only_comparing = [
        (gate.worse_by.is_some(), "worse_by"),
        (gate.early, "early"),
        (gate.cap.is_some(), "cap"),
    ];
    for (given, key) in only_comparing {
        if given {
            let message = format!("{key} is for a gate that compares");
            check.refuse_with(&format!("{path}.{key}"), message, "against = \"stable\"");
        }
    }
    range(gate, path, check);
    match (gate.least(), gate.most()) {
        (None, None) => {
            let message = format!("a gate on {} needs max or min", gate.label());
            check.refuse_with(path, message, example(gate.metric));
        }
        (Some(least), Some(most)) if is_above(least, most) => {
            let key = if gate.range.is_empty() {
                "min"
            } else {
                "range"
            };
            let message = match gate.range.is_empty() {
                true => "min is larger than max: nothing could pass",
                false => "the range ends before it begins: nothing could pass",
            };
            check.refuse(&format!("{path}.{key}"), message);
        }
        _ => {}
    }
    let given = [("min", gate.min), ("max", gate.max)];
    for (key, bound) in given
        .into_iter()
        .filter_map(|(key, bound)| Some((key, bound?)))
    {
        fits(bound, gate.metric, &format!("{path}.{key}"), check);
    }
    for (at, bound) in gate.range.iter().enumerate() {
        fits(*bound, gate.metric, &format!("{path}.range.{at}"), check);
    }
    if let Some(window) = gate.window {
        above_zero(gate, "window", window, path, check);
    }
}

/// Its name says more than its place in the file.
fn above_zero(gate: &MetricGate, key: &str, period: Period, path: &str, check: &mut Check<'_>) {
    if period.is_zero() {
        let message = format!("{key} of the gate {} must be longer than 0", gate.label());
        check.refuse(&format!("{path}.{key}"), message);
    }
}

fn range(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    let path = format!("{path}.range");
    match gate.range.len() {
        0 => {}
        2 if gate.min.is_some() || gate.max.is_some() => {
            check.refuse(&path, "a range is min and max already");
        }
        2 => {}
        _ => check.refuse_with(&path, "a range has two ends", "range = [0.8, 1.0]"),
    }
}

fn compares(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    let metric = gate.metric;
    if matches!(metric, Metric::Requests | Metric::TokensPerRequest) || metric.is_of_calls() {
        let message = format!("{} cannot be compared", metric.name());
        let hint = match metric {
            Metric::Requests => "how many requests a release gets is its weight's doing",
            metric if metric.is_of_calls() => "give max or min instead of against",
            _ => "compare tokens_per_conversation, or give max or min instead of against",
        };
        check.refuse_with(&format!("{path}.against"), message, hint);
    }
    if gate.min.is_some() || gate.max.is_some() || !gate.range.is_empty() {
        let message = "a gate that compares has neither max nor min";
        check.refuse_with(path, message, "write two gates");
    }
    if gate.window.is_some() {
        let message = "a gate that compares goes by all that was seen";
        check.refuse(&format!("{path}.window"), message);
    }
    cap(gate, path, check);
}

fn cap(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    let name = gate.metric.name();
    match gate.cap {
        None if gate.metric.is_spend() => {
            let message = format!("what a conversation may use at most is not given for {name}");
            let hint = "cap = 20000: what hardly any conversation of today uses";
            check.refuse_with(path, message, hint);
        }
        Some(_) if !gate.metric.is_spend() => {
            check.refuse(&format!("{path}.cap"), format!("{name} has no cap"));
        }
        Some(cap) if cap <= 0.0 => {
            check.refuse(&format!("{path}.cap"), "cap must be above 0");
        }
        _ => {}
    }
}

fn example(metric: Metric) -> &'static str {
    match metric {
        metric if metric.is_share() => "max = 0.01",
        metric if metric.is_time() => "max = \"500ms\"",
        Metric::Requests => "min = 100",
        _ => "max = 1000",
    }
}

fn is_above(least: Bound, most: Bound) -> bool {
    match (least, most) {
        (Bound::Number(least), Bound::Number(most)) => least > most,
        (Bound::Time(least), Bound::Time(most)) => least > most,
        _ => false,
    }
}

fn fits(bound: Bound, metric: Metric, path: &str, check: &mut Check<'_>) {
    let name = metric.name();
    match bound {
        Bound::Number(_) if metric.is_time() => {
            let message = format!("a bound on {name} is a duration");
            check.refuse_with(path, message, "write it with a unit, like \"500ms\"");
        }
        Bound::Time(_) if !metric.is_time() => {
            check.refuse(
                path,
                format!("a bound on {name} is a number, not a duration"),
            );
        }
        Bound::Number(share) if metric.is_share() && !(0.0..=1.0).contains(&share) => {
            let message = format!("{name} is a share from 0 to 1");
            check.refuse_with(path, message, "0.01 is one in a hundred");
        }
        Bound::Number(number) if number < 0.0 && metric != Metric::Sourced => {
            check.refuse(path, format!("{name} is never below 0"));
        }
        Bound::Number(_) | Bound::Time(_) => {}
    }
}
