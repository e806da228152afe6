//! What runs beside the agent in its pod: tools, sidecars of one's own, and the collector.

use serde_json::{Value, json};

use super::container::{self, Sidecar};
use super::{collector, volumes};
use crate::render::{Failure, Input, Templates};
use crate::spec::{self, Mode, Tool, contract};

/// Whether they start before the agent and end after it.
pub(super) fn are_native(input: &Input) -> bool {
    input.minor() >= contract::NATIVE_SIDECARS
}

pub(super) fn containers(input: &Input, templates: &Templates) -> Result<Vec<Value>, Failure> {
    let tools = tools(input).map(|(name, one)| tool(input, name, one));
    let own = input.spec.sidecars.iter();
    let own = own.map(|(name, one)| sidecar(input, name, one));
    let all = collector::sidecar(input)
        .into_iter()
        .chain(tools)
        .chain(own);
    all.map(|one| container::sidecar(one, input, templates))
        .collect()
}

/// Those that a user names.
pub(super) fn names(input: &Input) -> impl Iterator<Item = &str> {
    let own = input.spec.sidecars.keys().map(String::as_str);
    tools(input).map(|(name, _)| name).chain(own)
}

fn tools(input: &Input) -> impl Iterator<Item = (&str, &Tool)> {
    let tools = input.spec.tools.iter();
    let beside = tools.filter(|(_, tool)| tool.mode == Mode::Sidecar);
    beside.map(|(name, tool)| (name.as_str(), tool))
}

/// Not asked whether it is well: it may listen on localhost alone, where the cluster does not reach.
fn tool<'a>(input: &'a Input, name: &'a str, tool: &'a Tool) -> Sidecar<'a> {
    Sidecar {
        name,
        image: &tool.image,
        command: &tool.command,
        ports: vec![json!({ "name": "mcp", "containerPort": tool.port })],
        env: super::env::beside(&tool.env, input),
        resources: container::resources(&tool.resources, None),
        probes: container::no_probes(),
        mounts: volumes::of_tool(name),
    }
}

fn sidecar<'a>(input: &'a Input, name: &'a str, sidecar: &'a spec::Sidecar) -> Sidecar<'a> {
    Sidecar {
        name,
        image: &sidecar.image,
        command: &sidecar.command,
        ports: Vec::new(),
        env: super::env::beside(&sidecar.env, input),
        resources: container::resources(&sidecar.resources, None),
        probes: container::no_probes(),
        mounts: volumes::of_sidecar(input, name, sidecar),
    }
}
