//! What runs beside the agent in its pod: tools, helpers, and the collector.

use serde_json::{Value, json};

use super::container::{self, Beside};
use super::{collector, volumes};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Mode, Sidecar, Tool};

/// The version from which init containers may go on beside the others.
const NATIVE: u32 = 29;

/// Whether they start before the agent and end after it.
pub(super) fn are_native(input: &Input) -> bool {
    input.minor() >= NATIVE
}

pub(super) fn containers(input: &Input, templates: &Templates) -> Result<Vec<Value>, Failure> {
    let tools = tools(input).map(|(name, one)| tool(input, name, one));
    let helpers = &input.spec.sidecars;
    let helpers = helpers.iter().map(|(name, one)| helper(input, name, one));
    let beside = collector::beside(input)
        .into_iter()
        .chain(tools)
        .chain(helpers);
    beside
        .map(|beside| container::beside(beside, input, templates))
        .collect()
}

/// Those that a user names.
pub(super) fn names(input: &Input) -> impl Iterator<Item = &str> {
    let helpers = input.spec.sidecars.keys().map(String::as_str);
    tools(input).map(|(name, _)| name).chain(helpers)
}

fn tools(input: &Input) -> impl Iterator<Item = (&str, &Tool)> {
    let tools = input.spec.tools.iter();
    let beside = tools.filter(|(_, tool)| tool.mode == Mode::Sidecar);
    beside.map(|(name, tool)| (name.as_str(), tool))
}

/// Not asked whether it is well: it may listen on localhost alone, where the cluster does not reach.
fn tool<'a>(input: &'a Input, name: &'a str, tool: &'a Tool) -> Beside<'a> {
    Beside {
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

fn helper<'a>(input: &'a Input, name: &'a str, sidecar: &'a Sidecar) -> Beside<'a> {
    Beside {
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
