use std::collections::BTreeSet;

use super::super::{Bound, Metric, MetricGate};
use super::Check;

pub(super) fn check(gates: &[MetricGate], check: &mut Check<'_>) {
    let mut names = BTreeSet::new();
    for (at, gate) in gates.iter().enumerate() {
        let path = format!("gate.{at}");
        bounds(gate, &path, check);
        if let Some(name) = gate.name.as_deref().filter(|name| !names.insert(*name)) {
            check.refuse(
                &format!("{path}.name"),
                format!("another gate is called \"{name}\""),
            );
        }
    }
}

fn bounds(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    let (min, max) = (format!("{path}.min"), format!("{path}.max"));
    if gate.against.is_some() {
        return compares(gate, path, check);
    }
    for (given, key) in [(gate.worse_by.is_some(), "worse_by"), (gate.early, "early")] {
        if given {
            let message = format!("{key} is for a gate that compares");
            check.refuse_with(&format!("{path}.{key}"), message, "against = \"stable\"");
        }
    }
    match (gate.min, gate.max) {
        (None, None) => {
            let message = format!("a gate on {} needs max or min", gate.metric.name());
            check.refuse_with(path, message, example(gate.metric));
        }
        (Some(least), Some(most)) if is_above(least, most) => {
            check.refuse(&min, "min is larger than max: nothing could pass");
        }
        _ => {}
    }
    gate.min
        .iter()
        .for_each(|bound| fits(*bound, gate.metric, &min, check));
    gate.max
        .iter()
        .for_each(|bound| fits(*bound, gate.metric, &max, check));
}

fn compares(gate: &MetricGate, path: &str, check: &mut Check<'_>) {
    if gate.metric != Metric::ErrorRate {
        let message = format!("{} cannot be compared yet", gate.metric.name());
        let hint = "compare error_rate, or give max or min instead of against";
        check.refuse_with(&format!("{path}.against"), message, hint);
    }
    if gate.min.is_some() || gate.max.is_some() {
        let message = "a gate that compares has neither max nor min";
        check.refuse_with(path, message, "write two gates");
    }
}

fn example(metric: Metric) -> &'static str {
    match metric {
        Metric::ErrorRate => "max = 0.01",
        metric if metric.is_latency() => "max = \"500ms\"",
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
        Bound::Number(_) if metric.is_latency() => {
            let message = format!("a bound on {name} is a duration");
            check.refuse_with(path, message, "write it with a unit, like \"500ms\"");
        }
        Bound::Time(_) if !metric.is_latency() => {
            check.refuse(
                path,
                format!("a bound on {name} is a number, not a duration"),
            );
        }
        Bound::Number(share) if metric == Metric::ErrorRate && !(0.0..=1.0).contains(&share) => {
            let message = "an error_rate is a share from 0 to 1";
            check.refuse_with(path, message, "0.01 is one request in a hundred");
        }
        Bound::Number(number) if number < 0.0 => {
            check.refuse(path, format!("{name} is never below 0"));
        }
        Bound::Number(_) | Bound::Time(_) => {}
    }
}
