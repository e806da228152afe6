//! How the number of replicas follows the work: by KEDA, or by the cluster's own autoscaler; and
//! a vertical one that only recommends.

mod triggers;

use serde_json::{Value, json};

use super::{Part, probes};
use crate::render::{Controller, Failure, Input, Templates};
use crate::spec::{Figure, Kind, Queue, QueueKind, Scale, Scaler};

/// What an agent tells of its queue, where no other metric is named.
pub(super) const QUEUE_DEPTH: &str = "agent_queue_depth";

/// The version that brought the final form of the cluster's own autoscaler.
const FINAL: u32 = 23;
/// The version from which one container's use of processors can be followed.
const BY_CONTAINER: u32 = 27;

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let Some(scale) = &input.spec.scale else {
        return Ok(Vec::new());
    };
    let mut parts = match (scale.follows(), scale.by) {
        (false, _) => Vec::new(),
        (true, Scaler::Keda) => keda(input, scale, templates)?,
        (true, Scaler::Hpa) => vec![hpa(input, scale, templates)?],
    };
    if scale.recommend {
        parts.push(vpa(input));
    }
    Ok(parts)
}

/// Whose replicas are counted.
pub(super) fn target(input: &Input) -> Value {
    let (version, kind) = match (input.traffic.by, input.spec.agent.kind) {
        (Some(Controller::ArgoRollouts), _) => ("argoproj.io/v1alpha1", "Rollout"),
        (_, Kind::Stateful) => ("apps/v1", "StatefulSet"),
        (_, _) => ("apps/v1", "Deployment"),
    };
    json!({ "apiVersion": version, "kind": kind, "name": input.workload() })
}

/// The object that changes the number, as Flagger refers to it.
pub(super) fn scaler(input: &Input) -> Option<Value> {
    let scale = input.spec.scale.as_ref().filter(|scale| scale.follows())?;
    let (version, kind) = match scale.by {
        Scaler::Keda => ("keda.sh/v1alpha1", "ScaledObject"),
        Scaler::Hpa => (hpa_version(input), "HorizontalPodAutoscaler"),
    };
    let queries = match scale.by {
        Scaler::Keda => triggers::queries(input, scale),
        Scaler::Hpa => None,
    };
    Some(json!({
        "apiVersion": version,
        "kind": kind,
        "name": input.workload(),
        "primaryScalerQueries": queries,
    }))
}

fn keda(input: &Input, scale: &Scale, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let least = scale.rest().map_or(scale.min, |rest| rest.replicas);
    let context = json!({
        "metadata": input.release_metadata(&input.workload()),
        "target": target(input),
        "min": least,
        // Below the least number there is only none at all.
        "idle": (scale.idle_to_zero && least > 0).then_some(0),
        "max": scale.max,
        "every": probes::seconds(scale.every),
        "down_after": probes::seconds(scale.down_after),
        "behavior": behavior(scale, templates)?,
        "triggers": triggers::triggers(input, scale),
    });
    let object = Part::new("kubernetes/scaled-object.yaml", "scaled-object", context);
    let authentication = triggers::authentication(input, scale).map(|context| {
        let template = "kubernetes/trigger-authentication.yaml";
        Part::new(template, "trigger-authentication", context)
    });
    Ok(authentication.into_iter().chain([object]).collect())
}

fn hpa_version(input: &Input) -> &'static str {
    match input.minor() >= FINAL {
        true => "autoscaling/v2",
        false => "autoscaling/v2beta2",
    }
}

fn hpa(input: &Input, scale: &Scale, templates: &Templates) -> Result<Part, Failure> {
    let queue = scale.queue.iter().map(|queue| waiting(input, queue));
    let cpu = scale.cpu.iter().map(|percent| cpu(input, *percent));
    let metrics = scale.metrics.iter().map(figure);
    let metrics: Vec<Value> = queue.chain(cpu).chain(metrics).collect();
    let context = json!({
        "version": hpa_version(input),
        "metadata": input.release_metadata(&input.workload()),
        "target": target(input),
        "min": scale.min,
        "max": scale.max,
        "metrics": metrics,
        "behavior": behavior(scale, templates)?,
    });
    let template = "kubernetes/horizontal-pod-autoscaler.yaml";
    Ok(Part::new(template, "horizontal-pod-autoscaler", context))
}

/// Up fast, down slowly.
fn behavior(scale: &Scale, templates: &Templates) -> Result<Value, Failure> {
    let context = json!({ "down_after": probes::seconds(scale.down_after) });
    templates.object("kubernetes/scale-behavior.yaml", &context)
}

/// How much of the queue there is for each replica.
fn waiting(input: &Input, queue: &Queue) -> Value {
    let (name, selector) = match queue.kind {
        QueueKind::Prometheus => (queue.name.as_str(), Value::Null),
        _ => (
            QUEUE_DEPTH,
            json!({ "matchLabels": { "agent": input.agent() } }),
        ),
    };
    let target = json!({ "type": "AverageValue", "averageValue": queue.per_replica.to_string() });
    let metric = json!({ "name": name, "selector": selector });
    json!({ "type": "External", "external": { "metric": metric, "target": target } })
}

/// Of the agent's own container: what runs beside it may have nothing set aside, and then no share
/// of it would be known.
fn cpu(input: &Input, percent: u32) -> Value {
    let target = json!({ "type": "Utilization", "averageUtilization": percent });
    match input.minor() >= BY_CONTAINER {
        true => json!({
            "type": "ContainerResource",
            "containerResource": { "container": input.agent(), "name": "cpu", "target": target },
        }),
        false => json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } }),
    }
}

fn figure(figure: &Figure) -> Value {
    let target = json!({ "type": "AverageValue", "averageValue": quantity(figure.target) });
    let metric = json!({ "name": figure.query });
    json!({ "type": "Pods", "pods": { "metric": metric, "target": target } })
}

/// In the largest unit that has no fraction; the cluster knows none below a billionth.
fn quantity(value: f64) -> String {
    let billionths = (value * 1e9).round().max(1.0) as u128;
    let units = [(1_000_000_000, ""), (1_000_000, "m"), (1_000, "u")];
    let whole = units
        .iter()
        .find(|(size, _)| billionths.is_multiple_of(*size));
    let (size, unit) = whole.copied().unwrap_or((1, "n"));
    format!("{}{unit}", billionths / size)
}

fn vpa(input: &Input) -> Part {
    let context = json!({
        "metadata": input.release_metadata(&input.workload()),
        "target": target(input),
    });
    let template = "kubernetes/vertical-pod-autoscaler.yaml";
    Part::new(template, "vertical-pod-autoscaler", context)
}

#[cfg(test)]
mod tests;
