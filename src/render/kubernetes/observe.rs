//! What watches the agent: who reads its figures, what wakes a person, and a dashboard. The
//! figures are those of `docs/agent-contract.md`.

pub(super) mod alerts;
pub(super) mod queries;

use serde_json::{Value, json};

use super::{Part, names};
use crate::render::{Controller, Failure, Input, Templates};
use crate::spec::Kind;
use queries::Queries;

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    if !input.spec.observe.dashboards {
        return Ok(Vec::new());
    }
    match input.spec.agent.kind {
        // A run is over before anybody reads its figures.
        Kind::Job | Kind::Cron => Ok(vec![rule(input)]),
        _ => Ok(vec![
            monitor(input),
            rule(input),
            dashboard(input, templates)?,
        ]),
    }
}

fn monitor(input: &Input) -> Part {
    // A controller changes whom the Services select: only the pods themselves are each there once.
    let is_plain = input.traffic.by.is_none();
    let has_service = input.spec.agent.kind.is_called() && is_plain;
    let (template, file) = match has_service {
        true => ("kubernetes/service-monitor.yaml", "service-monitor"),
        false => ("kubernetes/pod-monitor.yaml", "pod-monitor"),
    };
    let context = json!({
        "metadata": input.metadata(input.agent()),
        "selector": selector(input),
        "path": input.spec.observe.metrics,
        "relabelings": relabelings(input, has_service),
    });
    Part::new(template, file, context)
}

fn selector(input: &Input) -> Value {
    match input.traffic.by {
        Some(Controller::Flagger) => {
            let names = [input.agent().to_owned(), names::primary(input)];
            let one = json!({ "key": "app.kubernetes.io/name", "operator": "In", "values": names });
            json!({ "matchExpressions": [one] })
        }
        Some(Controller::ArgoRollouts) | None => json!({ "matchLabels": input.selector() }),
    }
}

/// Every figure says whose it is, and of which release.
fn relabelings(input: &Input, has_service: bool) -> Vec<Value> {
    let release = match input.traffic.by {
        Some(Controller::ArgoRollouts) => "rollouts-pod-template-hash",
        Some(Controller::Flagger) | None => names::RELEASE,
    };
    let release: String = release
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let release = format!("__meta_kubernetes_pod_label_{release}");
    // A replica stands behind several Services, and must not count twice. Behind the agent's own there
    // are not all of them while a route splits requests.
    let service = match input.release {
        Some(_) => format!("{}-r[0-9]+", input.agent()),
        None => input.agent().to_owned(),
    };
    let one = json!({
        "action": "keep",
        "sourceLabels": ["__meta_kubernetes_service_name"],
        "regex": service,
    });
    let agent = json!({ "targetLabel": "agent", "replacement": input.agent() });
    let release = json!({ "sourceLabels": [release], "targetLabel": "release" });
    has_service
        .then_some(one)
        .into_iter()
        .chain([agent, release])
        .collect()
}

fn rule(input: &Input) -> Part {
    let context = json!({
        "metadata": input.metadata(input.agent()),
        "group": input.agent(),
        // Prometheus takes labels of alerts for templates.
        "team": input.spec.agent.team.as_ref().map(|team| team.replace("{{", "{{\"{{\"}}")),
        "alerts": alerts::alerts(input),
    });
    Part::new(
        "kubernetes/prometheus-rule.yaml",
        "prometheus-rule",
        context,
    )
}

/// Grafana reads it as JSON, out of a ConfigMap with this label.
fn dashboard(input: &Input, templates: &Templates) -> Result<Part, Failure> {
    let queries = Queries::of(input);
    let context = json!({
        "title": input.agent(),
        "uid": format!("agentctl-{}", input.agent()),
        "description": input.spec.agent.description,
        "panels": panels(&queries, has_queue(input)),
    });
    let dashboard = templates.object("kubernetes/grafana.yaml", &context)?;
    let text = serde_json::to_string_pretty(&dashboard).unwrap_or_default();
    let name = format!("{}-dashboard", input.agent());
    let mut metadata = input.metadata(&name);
    metadata["labels"]["grafana_dashboard"] = json!("1");
    let data = json!({ format!("{}.json", input.agent()): text + "\n" });
    let context = json!({ "metadata": metadata, "data": data });
    Ok(Part::new("kubernetes/dashboard.yaml", "dashboard", context))
}

fn has_queue(input: &Input) -> bool {
    let queue = input
        .spec
        .scale
        .as_ref()
        .and_then(|scale| scale.queue.as_ref());
    queue.is_some() || input.spec.agent.kind == Kind::Worker
}

fn panels(queries: &Queries, has_queue: bool) -> Vec<Value> {
    const WINDOW: &str = "5m";
    let by = queries.by_release();
    let latency = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];
    let latency = latency.map(|(share, name)| {
        json!({ "expr": by.latency(share, WINDOW), "legend": format!("{name} {{{{release}}}}") })
    });
    let one = |expr: String| json!([{ "expr": expr, "legend": "{{release}}" }]);
    let all_of = |expr: String| json!([{ "expr": expr, "legend": "queue" }]);
    let mut all = vec![
        ("Requests per second", "reqps", one(by.request_rate(WINDOW))),
        ("Errors", "percentunit", one(by.error_rate(WINDOW))),
        ("Latency", "s", json!(latency)),
        (
            "Cost per conversation",
            "none",
            one(by.cost_per_conversation("1h")),
        ),
        (
            "Tokens per request",
            "none",
            one(by.tokens_per_request(WINDOW)),
        ),
        (
            "Open conversations",
            "none",
            one(by.sum("agent_open_conversations")),
        ),
        ("Replicas", "none", one(by.replicas())),
    ];
    if has_queue {
        all.push((
            "Waiting in the queue",
            "none",
            all_of(queries.most("agent_queue_depth")),
        ));
        all.push((
            "Oldest in the queue",
            "s",
            all_of(queries.most("agent_queue_oldest_seconds")),
        ));
    }
    let placed = all.into_iter().enumerate();
    placed
        .map(|(at, (title, unit, queries))| {
            json!({
                "id": at + 1, "title": title, "unit": unit, "queries": queries,
                "x": at % 2 * 12, "y": at / 2 * 8,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
