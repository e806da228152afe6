//! One replica: the agent's container, what runs beside it, and where it may run.

use serde_json::{Value, json};

use super::container::{self, Beside};
use super::{config, probes};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Kind, Mode};

/// The version from which init containers may go on beside the others.
const NATIVE_SIDECARS: u32 = 29;

pub(super) fn pod(input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let agent = container::agent(input, templates)?;
    let beside = sidecars(input, templates)?;
    let (init, containers) = match input.minor() >= NATIVE_SIDECARS {
        true => (beside, vec![agent]),
        false => (Vec::new(), std::iter::once(agent).chain(beside).collect()),
    };
    let spec = &input.spec;
    let mut labels = input.labels();
    labels.extend(input.release_selector());
    let context = json!({
        "labels": labels,
        "annotations": annotations(input),
        "account": input.agent(),
        "restart": restart(spec.agent.kind),
        "grace": probes::seconds(spec.drain.grace) + container::LEAVING,
        "user": spec.run.user,
        "pull_secrets": named(&spec.image.pull_secrets),
        "init_containers": (!init.is_empty()).then_some(init),
        "containers": containers,
        "volumes": volumes(input),
        "selector": input.release_selector(),
        "spread": !matches!(spec.agent.kind, Kind::Daemon | Kind::Job | Kind::Cron),
    });
    templates.object("kubernetes/pod.yaml", &context)
}

fn sidecars(input: &Input, templates: &Templates) -> Result<Vec<Value>, Failure> {
    let restart = (input.minor() >= NATIVE_SIDECARS).then_some("Always");
    let tools = input
        .spec
        .tools
        .iter()
        .filter(|(_, tool)| tool.mode == Mode::Sidecar);
    let tools = tools.map(|(name, tool)| Beside {
        name,
        image: &tool.image,
        command: &tool.command,
        port: Some(tool.port),
        env: &tool.env,
        resources: &tool.resources,
        mounts: Vec::new(),
        restart,
    });
    tools
        .map(|tool| container::beside(&tool, input, templates))
        .collect()
}

fn restart(kind: Kind) -> &'static str {
    match kind {
        Kind::Job | Kind::Cron => "Never",
        _ => "Always",
    }
}

/// Where Prometheus finds its figures without an operator.
fn annotations(input: &Input) -> Option<Value> {
    let path = input.spec.observe.metrics.as_ref()?;
    Some(json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/path": path,
        "prometheus.io/port": input.spec.run.port.to_string(),
    }))
}

fn named(names: &[String]) -> Option<Vec<Value>> {
    let named: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    (!named.is_empty()).then_some(named)
}

fn volumes(input: &Input) -> Vec<Value> {
    let writable = 0..input.spec.run.writable.len();
    let writable = writable.map(|at| json!({ "name": format!("writable-{at}"), "emptyDir": {} }));
    std::iter::once(config::volume(input))
        .chain(writable)
        .collect()
}
