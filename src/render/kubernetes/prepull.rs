//! Pulls a release's image onto every node that it may run on, before the first step of a rollout.

use serde_json::json;

use super::{Part, container, nodes, pod};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Quantity, Resources};

/// Holds a static program that runs beside any image's files.
const TOOL: &str = "busybox:1.37.0-musl";

/// What every node has already, or nearly: it waits and does nothing.
const PAUSE: &str = "registry.k8s.io/pause:3.10";

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    if !input.spec.image.prepull {
        return Ok(Vec::new());
    }
    let name = format!("{}-prepull", input.release_name());
    let context = json!({
        "metadata": input.release_metadata(&name),
        "selector": input.beside_selector(&name),
        "account": input.agent(),
        "security": pod::security(input, templates, std::iter::empty())?,
        "container_security": container::security(templates)?,
        "pull_secrets": pod::pull_secrets(input),
        "nodes": nodes::of(input, templates, None)?,
        "image": input.image,
        "tool": TOOL,
        "pause": PAUSE,
        "resources": container::resources(&least(), None),
    });
    Ok(vec![Part::new(
        "kubernetes/prepull.yaml",
        "prepull",
        context,
    )])
}

fn least() -> Resources {
    Resources {
        cpu: Quantity::parse("1m").ok(),
        memory: Quantity::parse("16Mi").ok(),
        ..Resources::default()
    }
}
