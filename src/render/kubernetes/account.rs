//! Who a replica is to the cluster, and the namespace that it lives in.

use serde_json::json;

use super::Part;
use crate::render::Input;
use crate::spec::TargetSpec;

pub(super) fn parts(input: &Input) -> Vec<Part> {
    let account = json!({ "metadata": input.metadata(input.agent()) });
    let account = Part::new("kubernetes/service-account.yaml", "account", account);
    namespace(input).into_iter().chain([account]).collect()
}

/// Its file comes first by name too: nothing can be applied before it is there.
fn namespace(input: &Input) -> Option<Part> {
    let TargetSpec::Kubernetes {
        namespace: Some(name),
        create_namespace: true,
        ..
    } = &input.target
    else {
        return None;
    };
    let context = json!({ "name": name });
    Some(Part::new(
        "kubernetes/namespace.yaml",
        "00-namespace",
        context,
    ))
}
