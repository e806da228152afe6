//! What wakes a person, and from which bound on: the gates' where there is one.

use serde_json::{Value, json};

use super::queries::Queries;
use crate::render::kubernetes::probes;
use crate::render::{Controller, Input};
use crate::spec::{Bound, Kind, Metric, MetricGate, Period, RolloutStep};

const WINDOW: &str = "5m";

pub(super) fn alerts(input: &Input) -> Vec<Value> {
    match input.spec.agent.kind {
        Kind::Job | Kind::Cron => vec![failed_run(input)],
        _ => [
            errors(input),
            latencies(input),
            cost(input),
            queue(input),
            rollout(input),
        ]
        .concat(),
    }
}

fn alert(name: &str, expr: String, lasting: &str, severity: &str, summary: String) -> Value {
    json!({
        "name": name, "expr": expr, "lasting": lasting, "severity": severity, "summary": summary,
    })
}

/// Names from the cluster's own figures.
fn here(input: &Input) -> String {
    let namespace = input.namespace();
    let namespace = namespace.map(|name| format!("namespace=\"{name}\","));
    namespace.unwrap_or_default()
}

fn failed_run(input: &Input) -> Value {
    let (agent, here) = (input.agent(), here(input));
    let expr = format!("kube_job_status_failed{{{here}job_name=~\"{agent}(-.*)?\"}} > 0");
    alert(
        "AgentRunFailed",
        expr,
        "0m",
        "warning",
        format!("a run of {agent} failed"),
    )
}

fn errors(input: &Input) -> Vec<Value> {
    let bound = most(input, Metric::ErrorRate).unwrap_or(0.05);
    let expr = format!("{} > {bound}", Queries::of(input).error_rate(WINDOW));
    let summary = format!(
        "more than {} % of the requests to {} fail",
        round(bound * 100.0),
        input.agent()
    );
    vec![alert("AgentErrorRate", expr, WINDOW, "critical", summary)]
}

/// One for each bound on a latency; without any, one in twenty requests over 30 seconds.
fn latencies(input: &Input) -> Vec<Value> {
    let known = [Metric::LatencyP50, Metric::LatencyP95, Metric::LatencyP99];
    let mut bounds: Vec<(Metric, f64)> = known
        .into_iter()
        .filter_map(|metric| Some((metric, most(input, metric)?)))
        .collect();
    if bounds.is_empty() {
        bounds.push((Metric::LatencyP95, 30.0));
    }
    let each = bounds.into_iter().map(|(metric, bound)| {
        let expr = format!("{} > {bound}", Queries::of(input).gate(metric, WINDOW));
        let percentile = metric.name().trim_start_matches("latency_").to_owned();
        let summary = format!(
            "{} answers slowly: {percentile} is above {bound} s",
            input.agent()
        );
        alert("AgentLatency", expr, WINDOW, "warning", summary)
    });
    each.collect()
}

/// Nobody can say what a conversation may cost; without a bound, twice what it cost this day.
fn cost(input: &Input) -> Vec<Value> {
    let queries = Queries::of(input);
    let now = queries.cost_per_conversation("1h");
    let (expr, summary) = match most(input, Metric::CostPerConversation) {
        Some(bound) => (
            format!("{now} > {bound}"),
            format!("costs more than {bound}"),
        ),
        None => {
            let usual = queries.cost_per_conversation("1d");
            (
                format!("{now} > 2 * ({usual})"),
                "costs twice what it usually does".to_owned(),
            )
        }
    };
    let summary = format!("a conversation with {} {summary}", input.agent());
    vec![alert("AgentCost", expr, "15m", "warning", summary)]
}

fn queue(input: &Input) -> Vec<Value> {
    if !super::has_queue(input) {
        return Vec::new();
    }
    let expr = format!(
        "{} > 300",
        Queries::of(input).most("agent_queue_oldest_seconds")
    );
    let summary = format!(
        "work for {} has waited for more than 5 minutes",
        input.agent()
    );
    vec![alert("AgentQueueAge", expr, WINDOW, "warning", summary)]
}

fn rollout(input: &Input) -> Vec<Value> {
    let (agent, here) = (input.agent(), here(input));
    let (expr, lasting) = match (input.traffic.by, input.spec.agent.kind) {
        (Some(Controller::ArgoRollouts), _) => {
            let of = format!("{here}name=\"{agent}\"");
            (
                format!("rollout_info{{{of},phase=~\"Degraded|Paused\"}} == 1"),
                planned(input),
            )
        }
        (Some(Controller::Flagger), _) => (
            format!("flagger_canary_status{{{here}name=\"{agent}\"}} == 2"),
            "0m".to_owned(),
        ),
        (None, kind) => (standing(kind, agent, &here), planned(input)),
    };
    let summary = format!("a rollout of {agent} goes neither forward nor back");
    vec![alert(
        "AgentRolloutStalled",
        expr,
        &lasting,
        "critical",
        summary,
    )]
}

/// Two releases side by side, for longer than the plan takes; a daemon's in one object.
fn standing(kind: Kind, agent: &str, here: &str) -> String {
    match kind {
        Kind::Daemon => {
            let of = format!("{{{here}daemonset=~\"{agent}(-r[0-9]+)?\"}}");
            format!(
                "kube_daemonset_status_updated_number_scheduled{of} < kube_daemonset_status_desired_number_scheduled{of}"
            )
        }
        Kind::Stateful => {
            let of = format!("{{{here}statefulset=~\"{agent}(-r[0-9]+)?\"}}");
            format!(
                "kube_statefulset_status_replicas_updated{of} < kube_statefulset_replicas{of} or count(kube_statefulset_replicas{of} > 0) > 1"
            )
        }
        _ => {
            let of = format!("{here}deployment=~\"{agent}(-r[0-9]+)?\"");
            format!(
                "kube_deployment_status_condition{{{of},condition=\"Progressing\",status=\"false\"}} == 1 or count(kube_deployment_status_replicas{{{of}}} > 0) > 1"
            )
        }
    }
}

/// As long as a rollout may take by its plan: holds, bake, patience, and the last conversations.
fn planned(input: &Input) -> String {
    let rollout = &input.spec.rollout;
    let holds = rollout.steps.iter().map(|step| match step {
        RolloutStep::Weight { hold, .. } => *hold,
        RolloutStep::Approve { .. } => Period::default(),
    });
    let rest = [
        rollout.bake,
        rollout.patience,
        input.spec.drain.conversations,
    ];
    let seconds: u64 = holds.chain(rest).map(probes::seconds).sum();
    format!("{}m", seconds.div_ceil(60))
}

/// The least of what the gates allow; latencies in seconds.
fn most(input: &Input, metric: Metric) -> Option<f64> {
    let gates = input.spec.gate.iter().filter(|gate| gate.metric == metric);
    gates.filter_map(upper).reduce(f64::min)
}

fn upper(gate: &MetricGate) -> Option<f64> {
    gate.max.map(number)
}

/// A time in seconds.
pub(in crate::render::kubernetes) fn number(bound: Bound) -> f64 {
    match bound {
        Bound::Number(number) => number,
        Bound::Time(period) => period.get().as_secs_f64(),
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
