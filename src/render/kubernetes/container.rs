//! One container of a pod.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{config, env, probes};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Gpu, Kind, Resources, Template};

const TEMPLATE: &str = "kubernetes/container.yaml";

/// Seconds between leaving the endpoints and SIGTERM: until then requests may still come in.
pub(super) const LEAVING: u64 = 5;

/// The agent itself.
pub(super) fn agent(input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let run = &input.spec.run;
    let command = match input.spec.build {
        // The image was built to start it.
        Some(_) => Vec::new(),
        None => run
            .command
            .iter()
            .map(|word| env::text(word, input))
            .collect(),
    };
    let serves = matches!(
        input.spec.agent.kind,
        Kind::Service | Kind::Stateful | Kind::Daemon
    );
    let context = json!({
        "name": input.agent(),
        "image": input.image,
        "command": some(command),
        "port": run.port,
        "env": env::agent(input),
        "resources": resources(&run.resources, run.gpu.as_ref()),
        "probes": probes::probes(input),
        "leaving": if serves { leaving(input) } else { Value::Null },
        "mounts": mounts(input),
        "restart": Value::Null,
    });
    templates.object(TEMPLATE, &context)
}

/// What stands in the list of a container that runs beside the agent.
pub(super) struct Beside<'a> {
    pub(super) name: &'a str,
    pub(super) image: &'a str,
    pub(super) command: &'a [String],
    pub(super) port: Option<u16>,
    pub(super) env: &'a BTreeMap<String, Template>,
    pub(super) resources: &'a Resources,
    pub(super) mounts: Vec<Value>,
    /// `Always` for a sidecar among the init containers.
    pub(super) restart: Option<&'static str>,
}

pub(super) fn beside(
    beside: &Beside,
    input: &Input,
    templates: &Templates,
) -> Result<Value, Failure> {
    let command = beside
        .command
        .iter()
        .map(|word| word.replace("$(", "$$("))
        .collect();
    let context = json!({
        "name": beside.name,
        "image": beside.image,
        "command": some(command),
        "port": beside.port,
        "env": env::beside(beside.env, input),
        "resources": resources(beside.resources, None),
        "probes": { "startup": null, "ready": null, "live": null },
        "leaving": null,
        "mounts": beside.mounts,
        "restart": beside.restart,
    });
    templates.object(TEMPLATE, &context)
}

fn some(words: Vec<String>) -> Option<Vec<String>> {
    (!words.is_empty()).then_some(words)
}

fn leaving(input: &Input) -> Value {
    match input.minor() {
        30.. => json!({ "sleep": { "seconds": LEAVING } }),
        _ => json!({ "exec": { "command": ["sleep", LEAVING.to_string()] } }),
    }
}

/// Memory has a limit in any case: a replica that grows must not take its neighbours with it.
pub(super) fn resources(resources: &Resources, gpu: Option<&Gpu>) -> Value {
    let mut requests = Map::new();
    let mut limits = Map::new();
    let put = |map: &mut Map<String, Value>, name: &str, value: Option<Value>| {
        map.extend(value.map(|value| (name.to_owned(), value)));
    };
    let text = |quantity: &Option<crate::spec::Quantity>| {
        quantity.as_ref().map(|quantity| json!(quantity.as_str()))
    };
    put(&mut requests, "cpu", text(&resources.cpu));
    put(&mut requests, "memory", text(&resources.memory));
    put(&mut limits, "cpu", text(&resources.cpu_limit));
    put(
        &mut limits,
        "memory",
        text(&resources.memory_limit).or_else(|| text(&resources.memory)),
    );
    if let Some(gpu) = gpu {
        limits.insert(gpu.kind.clone(), json!(gpu.count.to_string()));
    }
    json!({ "requests": filled(requests), "limits": filled(limits) })
}

fn filled(map: Map<String, Value>) -> Option<Map<String, Value>> {
    (!map.is_empty()).then_some(map)
}

fn mounts(input: &Input) -> Vec<Value> {
    let run = &input.spec.run;
    let config = json!({ "name": "agent-config", "mountPath": config::FOLDER, "readOnly": true });
    let writable = run.writable.iter().enumerate();
    let writable =
        writable.map(|(at, path)| json!({ "name": format!("writable-{at}"), "mountPath": path }));
    let volumes = run.volumes.iter();
    let volumes = volumes.map(|(name, volume)| json!({ "name": name, "mountPath": volume.path }));
    std::iter::once(config)
        .chain(writable)
        .chain(volumes)
        .collect()
}
