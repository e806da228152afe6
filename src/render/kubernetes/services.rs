//! What the agent needs beside it, as objects of their own: services, models, and the tools that
//! are not sidecars. Each is reached by its plain name.

use serde_json::{Value, json};

use super::{Part, container, env, pod};
use crate::render::filled::filled;
use crate::render::presets::{self, Beside};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Gpu, Mode};

/// Seconds from one check to the next while it starts.
const STARTING: u64 = 2;

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    for beside in all(input) {
        parts.push(service(&beside, input));
        parts.push(workload(&beside, input, templates)?);
    }
    Ok(parts)
}

/// What they and the agent are called in its namespace.
pub(crate) fn names(input: &Input) -> impl Iterator<Item = String> {
    let namespace = input.namespace().map(|name| format!(" in {name}"));
    let namespace = namespace.unwrap_or_default();
    // Without a namespace the agent's own name says it all.
    let own = (!namespace.is_empty()).then(|| format!("{}{namespace}", input.agent()));
    let all = all(input).into_iter();
    let beside = all.map(move |beside| format!("{}{namespace}", beside.name));
    own.into_iter().chain(beside)
}

fn all(input: &Input) -> Vec<Beside<'_>> {
    let spec = &input.spec;
    let services = spec.services.iter();
    let services = services.map(|(name, one)| presets::service(name, one, spec));
    let tools = spec.tools.iter();
    let tools = tools.filter(|(_, tool)| tool.mode == Mode::Service);
    let tools = tools.map(|(name, tool)| presets::tool(name, tool, spec));
    services.chain(tools).collect()
}

fn metadata(input: &Input, name: &str) -> Value {
    let mut metadata = input.metadata(name);
    metadata["labels"] = labels(input, name);
    metadata
}

/// The agent's version is not that of its database.
fn labels(input: &Input, name: &str) -> Value {
    let mut labels = input.labels();
    labels.remove("app.kubernetes.io/version");
    labels.extend(input.beside_selector(name));
    Value::Object(labels)
}

fn service(beside: &Beside, input: &Input) -> Part {
    let context = json!({
        "metadata": metadata(input, beside.name),
        "selector": input.beside_selector(beside.name),
        "port": beside.port,
    });
    let file = format!("{}-service", beside.name);
    Part::new("kubernetes/beside-service.yaml", file, context)
}

/// With a disk of its own it is a StatefulSet, which keeps it.
fn workload(beside: &Beside, input: &Input, templates: &Templates) -> Result<Part, Failure> {
    let (template, file) = match size(beside) {
        Some(_) => ("kubernetes/beside-stateful-set.yaml", "stateful-set"),
        None => ("kubernetes/beside-deployment.yaml", "deployment"),
    };
    let context = json!({
        "metadata": metadata(input, beside.name),
        "name": beside.name,
        "selector": input.beside_selector(beside.name),
        "pod": replica(beside, input, templates)?,
        "size": size(beside),
    });
    Ok(Part::new(
        template,
        format!("{}-{file}", beside.name),
        context,
    ))
}

fn size<'a>(beside: &Beside<'a>) -> Option<&'a str> {
    Some(beside.data.as_ref()?.size?.as_str())
}

fn replica(beside: &Beside, input: &Input, templates: &Templates) -> Result<Value, Failure> {
    let gpu = beside.gpus.map(|count| Gpu {
        count,
        ..Gpu::default()
    });
    let context = json!({
        "labels": labels(input, beside.name),
        "name": beside.name,
        "image": beside.image,
        "user": beside.user,
        "pull_secrets": pod::pull_secrets(input),
        "command": filled(env::literals(&beside.command)),
        "port": beside.port,
        "env": filled(env(beside, input)),
        "resources": container::resources(beside.resources, gpu.as_ref()),
        "probes": probes(beside),
        "tolerations": gpu.map(|gpu| json!([{ "key": gpu.kind, "operator": "Exists" }])),
        "mounts": mounts(beside),
        "volumes": volumes(beside),
    });
    templates.object("kubernetes/beside-pod.yaml", &context)
}

fn env(beside: &Beside, input: &Input) -> Vec<Value> {
    let secret = beside.secret.map(|(variable, name)| {
        let reference = env::reference(input, name);
        json!({ "name": variable, "valueFrom": { "secretKeyRef": reference } })
    });
    let mut all: Vec<Value> = secret.into_iter().collect();
    all.extend(env::beside(&beside.env, input));
    all
}

/// A model may take an hour until it has fetched itself; whoever is waited for is asked often.
fn probes(beside: &Beside) -> Value {
    let often = beside.every.min(STARTING);
    let attempts = beside.startup.div_ceil(often);
    json!({
        "startup": probe(beside, often, attempts), "usual": probe(beside, beside.every, 3),
    })
}

/// The command, and where none is known a look whether the port is open.
fn probe(beside: &Beside, every: u64, attempts: u64) -> Value {
    let (kind, check) = match beside.healthy.as_slice() {
        [] => ("tcpSocket", json!({ "port": "main" })),
        // Unlike a container's command, a probe's is taken as it is.
        words => ("exec", json!({ "command": words })),
    };
    json!({
        kind: check,
        "periodSeconds": every,
        "timeoutSeconds": 10,
        "failureThreshold": attempts,
    })
}

fn mounts(beside: &Beside) -> Vec<Value> {
    let writable = beside.writable.iter().enumerate();
    let writable =
        writable.map(|(at, path)| json!({ "name": format!("writable-{at}"), "mountPath": path }));
    let data = beside.data.iter();
    let data = data.map(|data| json!({ "name": "data", "mountPath": data.path }));
    let memory = beside.shared_memory.iter();
    let memory = memory.map(|_| json!({ "name": "memory", "mountPath": "/dev/shm" }));
    writable.chain(data).chain(memory).collect()
}

/// The disk of a StatefulSet comes from its claim.
fn volumes(beside: &Beside) -> Vec<Value> {
    let writable = 0..beside.writable.len();
    let writable = writable.map(|at| json!({ "name": format!("writable-{at}"), "emptyDir": {} }));
    let data = beside.data.iter().filter(|data| data.size.is_none());
    let data = data.map(|_| json!({ "name": "data", "emptyDir": {} }));
    let memory = beside.shared_memory.iter();
    let memory = memory.map(|bytes| {
        let limit = json!({ "medium": "Memory", "sizeLimit": bytes.to_string() });
        json!({ "name": "memory", "emptyDir": limit })
    });
    writable.chain(data).chain(memory).collect()
}

#[cfg(test)]
mod tests;
