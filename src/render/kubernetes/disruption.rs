//! How many replicas may go at once when nodes are emptied.

use serde_json::json;

use super::{Part, replicas};
use crate::render::Input;

/// The versions that brought the object's final form, and the word on replicas that are not well.
const FINAL: u32 = 21;
const UNHEALTHY: u32 = 27;

pub(super) fn parts(input: &Input) -> Vec<Part> {
    if !replicas::several(input) {
        return Vec::new();
    }
    let minor = input.minor();
    let context = json!({
        "version": if minor >= FINAL { "policy/v1" } else { "policy/v1beta1" },
        "metadata": input.metadata(input.agent()),
        "unhealthy": (minor >= UNHEALTHY).then_some("AlwaysAllow"),
        "selector": input.selector(),
    });
    vec![Part::new(
        "kubernetes/disruption-budget.yaml",
        "disruption-budget",
        context,
    )]
}
