//! One container of a pod.

use serde_json::{Map, Value, json};

use super::{env, probes, sidecars, volumes};
use crate::render::filled::filled;
use crate::render::{Failure, Input, Templates};
use crate::spec::{Gpu, Quantity, Resources};

const TEMPLATE: &str = "kubernetes/container.yaml";

/// Seconds between leaving the endpoints and SIGTERM: until then requests may still come in.
pub(super) const LEAVING: u64 = 5;

/// The agent itself.
pub(super) fn agent(input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let run = &input.spec.run;
    let command = input.spec.container_command().iter();
    let command: Vec<_> = command.map(|word| env::text(word, input)).collect();
    let variables = json!(filled(env::from(input)));
    let context = json!({
        "name": input.agent(),
        "image": input.image,
        "command": filled(command),
        "ports": probes::listens(input).then(|| json!([{ "name": "http", "containerPort": run.port }])),
        "env": env::agent(input),
        "env_from": variables,
        "resources": resources(&run.resources, run.gpu.as_ref()),
        "probes": probes::probes(input),
        "leaving": input.spec.agent.kind.serves().then(|| leaving(input)),
        "security": security(templates)?,
        "mounts": volumes::of_agent(input),
        "restart": null,
    });
    let container = templates.object(TEMPLATE, &context)?;
    // A user's own template may be older than what it is given.
    match container.get("envFrom").unwrap_or(&Value::Null) == &variables {
        true => Ok(container),
        false => Err(Failure::refused(format!(
            "templates/{TEMPLATE} leaves out variables of run.env: it needs the line envFrom: {{{{ env_from }}}}"
        ))),
    }
}

/// A container that runs beside the agent in its pod.
pub(super) struct Sidecar<'a> {
    pub(super) name: &'a str,
    pub(super) image: &'a str,
    pub(super) command: &'a [String],
    pub(super) ports: Vec<Value>,
    pub(super) env: Vec<Value>,
    pub(super) resources: Value,
    pub(super) probes: Value,
    pub(super) mounts: Vec<Value>,
}

pub(super) fn sidecar(
    sidecar: Sidecar<'_>,
    input: &Input,
    templates: &Templates,
) -> Result<Value, Failure> {
    let context = json!({
        "name": sidecar.name,
        "image": sidecar.image,
        "command": filled(env::literals(sidecar.command)),
        "ports": filled(sidecar.ports),
        "env": filled(sidecar.env),
        "env_from": null,
        "resources": sidecar.resources,
        "probes": sidecar.probes,
        "leaving": null,
        "security": security(templates)?,
        "mounts": sidecar.mounts,
        // Among the init containers this makes it go on beside the others.
        "restart": sidecars::are_native(input).then_some("Always"),
    });
    templates.object(TEMPLATE, &context)
}

pub(super) fn no_probes() -> Value {
    json!({ "startup": null, "ready": null, "live": null })
}

/// What every container is forbidden.
pub(super) fn security(templates: &Templates) -> Result<Value, Failure> {
    templates.object("kubernetes/container-security.yaml", &json!({}))
}

fn leaving(input: &Input) -> Value {
    match input.minor() {
        30.. => json!({ "sleep": { "seconds": LEAVING } }),
        _ => json!({ "exec": { "command": ["sleep", LEAVING.to_string()] } }),
    }
}

/// Memory has a limit in any case: a replica that grows must not take its neighbours with it.
pub(super) fn resources(resources: &Resources, gpu: Option<&Gpu>) -> Value {
    let Resources {
        cpu,
        memory,
        cpu_limit,
        memory_limit,
    } = resources;
    let requests = amounts(cpu.as_ref(), memory.as_ref());
    let mut limits = amounts(
        cpu_limit.as_ref(),
        memory_limit.as_ref().or(memory.as_ref()),
    );
    limits.extend(gpu.map(|gpu| (gpu.kind.clone(), json!(gpu.count.to_string()))));
    let all = Map::from_iter([
        ("requests".to_owned(), json!(filled(requests))),
        ("limits".to_owned(), json!(filled(limits))),
    ]);
    match all.values().all(Value::is_null) {
        true => Value::Null,
        false => Value::Object(all),
    }
}

fn amounts(cpu: Option<&Quantity>, memory: Option<&Quantity>) -> Map<String, Value> {
    let both = [("cpu", cpu), ("memory", memory)];
    let given = both
        .into_iter()
        .filter_map(|(name, amount)| Some((name.to_owned(), json!(amount?))));
    given.collect()
}
