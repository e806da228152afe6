//! One replica: the agent's container, what runs beside it, and where it may run.

use serde_json::{Map, Value, json};

use super::{container, nodes, probes, replicas, sidecars, volumes};
use crate::render::filled::filled;
use crate::render::{Failure, Input, Templates};
use crate::spec::Mode;
use crate::spec::contract::LOW_PORTS;

pub(super) fn pod(input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let agent = container::agent(input, templates)?;
    let beside = sidecars::containers(input, templates)?;
    let (init, containers) = match sidecars::are_native(input) {
        true => (beside, vec![agent]),
        false => (Vec::new(), std::iter::once(agent).chain(beside).collect()),
    };
    let spec = &input.spec;
    let context = json!({
        "labels": labels(input),
        "annotations": annotations(input),
        "account": input.agent(),
        "restart": if spec.agent.kind.ends() { "Never" } else { "Always" },
        "grace": grace(input),
        "security": security(input, templates, ports(input))?,
        "pull_secrets": pull_secrets(input),
        "nodes": nodes::nodes(input, templates)?,
        "apart": replicas::several(input).then(|| input.workload_selector()),
        "init_containers": filled(init),
        "containers": containers,
        "volumes": volumes::all(input, templates)?,
    });
    templates.object("kubernetes/pod.yaml", &context)
}

/// The wait before SIGTERM counts too.
/// In a mesh its proxy has to stand beside each replica: nobody else speaks the mesh's TLS.
fn labels(input: &Input) -> Map<String, Value> {
    let mut labels = input.replica_labels();
    if input.in_mesh() {
        labels.insert("sidecar.istio.io/inject".to_owned(), json!("true"));
    }
    labels
}

fn grace(input: &Input) -> u64 {
    let wait = match input.spec.agent.kind.serves() {
        true => container::LEAVING,
        false => 0,
    };
    probes::seconds(input.spec.drain.grace) + wait
}

/// What the Pod Security Standard "restricted" wants of a whole pod.
pub(super) fn security(
    input: &Input,
    templates: &Templates,
    mut ports: impl Iterator<Item = u16>,
) -> Result<Value, Failure> {
    let low = ports.any(|port| port < 1024) && input.minor() >= LOW_PORTS;
    let sysctl = json!({ "name": "net.ipv4.ip_unprivileged_port_start", "value": "0" });
    let context = json!({ "user": input.spec.run.user, "sysctls": low.then(|| vec![sysctl]) });
    templates.object("kubernetes/pod-security.yaml", &context)
}

/// Ports that something in the pod listens on.
fn ports(input: &Input) -> impl Iterator<Item = u16> {
    let tools = input.spec.tools.values();
    let beside = tools.filter(|tool| tool.mode == Mode::Sidecar);
    let own = probes::listens(input).then_some(input.spec.run.port);
    own.into_iter().chain(beside.map(|tool| tool.port))
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

pub(super) fn pull_secrets(input: &Input) -> Option<Vec<Value>> {
    let names = &input.spec.image.pull_secrets;
    filled(names.iter().map(|name| json!({ "name": name })).collect())
}
