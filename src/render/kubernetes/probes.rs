//! How the cluster asks a replica whether it is alive and ready.

use serde_json::{Value, json};

use crate::render::Input;
use crate::spec::{Health, Period};

/// `startupProbe`, `readinessProbe` and `livenessProbe`; null where there is none.
pub(super) fn probes(input: &Input) -> Value {
    let health = &input.spec.health;
    let ready = ask(health.ready.as_deref(), input.spec.agent.kind.serves());
    let first = ask(health.startup.path.as_deref(), false).or_else(|| ready.clone());
    json!({
        "startup": first.map(|ask| startup(ask, health)),
        "ready": ready.map(|ask| every(ask, health)),
        "live": ask(health.live.as_deref(), false).map(|ask| every(ask, health)),
    })
}

/// Whether anyone asks the agent for anything, its figures or its health at least.
pub(super) fn listens(input: &Input) -> bool {
    let (spec, health) = (&input.spec, &input.spec.health);
    let paths = [
        &health.live,
        &health.ready,
        &health.startup.path,
        &spec.observe.metrics,
    ];
    spec.agent.kind.serves() || paths.iter().any(|path| path.is_some())
}

/// A path, or else the port itself where the agent has one.
fn ask(path: Option<&str>, has_port: bool) -> Option<Value> {
    match path {
        Some(path) => Some(json!({ "httpGet": { "path": path, "port": "http" } })),
        None => has_port.then(|| json!({ "tcpSocket": { "port": "http" } })),
    }
}

fn every(mut ask: Value, health: &Health) -> Value {
    ask["periodSeconds"] = json!(seconds(health.every));
    ask["timeoutSeconds"] = json!(seconds(health.timeout));
    ask["failureThreshold"] = json!(health.failures);
    ask
}

/// Each second, so that a replica is used as soon as it is ready. One that takes a question and never
/// answers is asked no sooner than its time is up, so the kubelet gives it up so much later; a rollout
/// does not wait for that.
fn startup(mut ask: Value, health: &Health) -> Value {
    ask["periodSeconds"] = json!(1);
    ask["timeoutSeconds"] = json!(seconds(health.timeout));
    ask["failureThreshold"] = json!(seconds(health.startup.within));
    ask
}

/// Whole seconds, at least one: the cluster knows no others.
pub(super) fn seconds(period: Period) -> u64 {
    period.as_millis().div_ceil(1000).max(1)
}
