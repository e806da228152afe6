//! The same agent for a controller of the cluster that walks rollouts itself. What it has no words
//! for is refused here: a rollout must not lose a gate or an approval on the way.

mod argo_rollouts;
mod flagger;

use serde_json::{Value, json};

use super::Object;
use super::observe::{alerts::number, queries::Queries};
use crate::render::{Controller, Failure, Input, Templates};
use crate::spec::{Kind, MetricGate, RolloutStep, Unclear};

/// What a controller walks instead of the objects that agentctl would.
pub(super) fn instead(
    objects: Vec<Object>,
    input: &Input,
    templates: &Templates,
) -> Result<Vec<Object>, Failure> {
    let Some(controller) = input.traffic.by else {
        return Ok(objects);
    };
    common(input, controller)?;
    match controller {
        Controller::ArgoRollouts => argo_rollouts::instead(objects, input, templates),
        Controller::Flagger => flagger::instead(objects, input, templates),
    }
}

/// What neither of them can do.
fn common(input: &Input, controller: Controller) -> Result<(), Failure> {
    let spec = &input.spec;
    let has_gates = !spec.gate.is_empty();
    let compares = spec.gate.iter().any(|gate| gate.against.is_some());
    let refusals = [
        (
            compares,
            "compares nothing with the stable release here: give the gate max or min instead of against",
        ),
        (
            spec.gate.iter().any(|gate| gate.source.is_some()),
            "asks no source of a gate here: give the gate a metric instead",
        ),
        (
            spec.gate.iter().any(|gate| gate.metric.is_of_calls()),
            "asks for no figures of calls here: give the gate another metric",
        ),
        (
            spec.gate
                .iter()
                .any(|gate| gate.unclear == Unclear::Approve),
            "asks nobody about a gate that cannot say: unclear = \"pass\" or \"fail\"",
        ),
        (
            !matches!(spec.agent.kind, Kind::Service | Kind::Worker),
            "walks services and workers only",
        ),
        (
            !spec.rollout.probe.is_empty(),
            "sends no requests of its own: take out [[rollout.probe]]",
        ),
        (
            !spec.rollback.auto,
            "always goes back when a gate fails: take out rollback.auto = false",
        ),
        (
            has_gates && spec.observe.prometheus.is_none(),
            "asks Prometheus about the gates: give observe.prometheus",
        ),
        (
            has_gates && spec.observe.metrics.is_none(),
            "judges by the agent's own figures: give observe.metrics",
        ),
    ];
    refuse_first(&refusals, controller)
}

fn refuse_first(refusals: &[(bool, &str)], controller: Controller) -> Result<(), Failure> {
    let name = match controller {
        Controller::ArgoRollouts => "Argo Rollouts",
        Controller::Flagger => "Flagger",
    };
    match refusals.iter().find(|(refused, _)| *refused) {
        None => Ok(()),
        Some((_, why)) => Err(Failure::refused(format!("{name} {why}"))),
    }
}

fn template(controller: Controller) -> &'static str {
    match controller {
        Controller::ArgoRollouts => "kubernetes/rollout.yaml",
        Controller::Flagger => "kubernetes/canary.yaml",
    }
}

/// Each gate has a name of its own, and the same one may bound a figure on both sides.
fn name(gate: &MetricGate) -> String {
    let name = gate.name.as_deref().unwrap_or(gate.metric.name());
    let plain = name.chars().map(|c| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    });
    let plain: String = plain.take(40).collect();
    plain.trim_matches('-').to_owned()
}

/// Each gate with a name that no other has.
fn named(gates: &[MetricGate]) -> Vec<(String, &MetricGate)> {
    let mut all: Vec<(String, &MetricGate)> = Vec::new();
    for gate in gates {
        let name = name(gate);
        let taken = all.iter().any(|(other, _)| *other == name) || name.is_empty();
        let name = match taken {
            true => format!("gate-{}", all.len() + 1),
            false => name,
        };
        all.push((name, gate));
    }
    all
}

/// Nothing where there were too few requests to tell.
fn figure(queries: &Queries, gate: &MetricGate, window: &str) -> String {
    let (figure, requests) = (queries.gate(gate.metric, window), queries.requests(window));
    format!("({figure}) and ({requests} >= {})", gate.min_requests)
}

fn approvals(input: &Input) -> bool {
    let steps = &input.spec.rollout.steps;
    steps
        .iter()
        .any(|step| matches!(step, RolloutStep::Approve { .. }))
}

/// `{ min, max }` of a gate; null where there is none.
fn bounds(gate: &MetricGate) -> Value {
    json!({ "min": gate.least().map(number), "max": gate.most().map(number) })
}

fn object(
    file: &str,
    template: &'static str,
    context: &Value,
    templates: &Templates,
) -> Result<Object, Failure> {
    Ok(Object {
        file: file.to_owned(),
        value: super::object(template, context, templates)?,
    })
}

#[cfg(test)]
mod tests;
