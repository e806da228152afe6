//! What makes the replicas, and the Service that they are reached by.

use serde_json::json;

use super::{Part, pod, scale};
use crate::render::{Failure, Input, Templates};

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let pod = pod::pod(input, templates)?;
    let deployment = json!({
        "metadata": input.release_metadata(&input.workload()),
        "replicas": scale::replicas(input),
        "selector": input.release_selector(),
        "pod": pod,
    });
    let service = json!({
        "metadata": input.metadata(input.agent()),
        "selector": input.selector(),
        "port": input.spec.run.port,
    });
    Ok(vec![
        Part::new("kubernetes/deployment.yaml", "deployment", deployment),
        Part::new("kubernetes/service.yaml", "service", service),
    ])
}
