//! The Services that replicas are reached by; what only works has none.

use serde_json::{Map, Value, json};

use super::Part;
use crate::render::Input;
use crate::spec::Kind;

const TEMPLATE: &str = "kubernetes/service.yaml";

pub(super) fn parts(input: &Input) -> Vec<Part> {
    if !input.spec.agent.kind.serves() {
        return Vec::new();
    }
    let all = service(input, input.metadata(input.agent()), input.selector());
    let mut parts = vec![Part::new(TEMPLATE, "service", all)];
    if input.release.is_some() {
        let metadata = input.release_metadata(&input.release_name());
        let one = service(input, metadata, input.release_selector());
        parts.push(Part::new(TEMPLATE, "service-release", one));
    }
    if input.spec.agent.kind == Kind::Stateful {
        parts.push(each(input));
    }
    parts
}

fn service(input: &Input, metadata: Value, selector: Map<String, Value>) -> Value {
    json!({ "metadata": metadata, "selector": selector, "port": input.spec.run.port })
}

/// Gives each replica of a stateful agent a name of its own.
fn each(input: &Input) -> Part {
    let context = service(input, input.metadata(&headless(input)), input.selector());
    Part::new(
        "kubernetes/service-headless.yaml",
        "service-headless",
        context,
    )
}

pub(super) fn headless(input: &Input) -> String {
    format!("{}-replicas", input.agent())
}
