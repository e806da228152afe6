//! The image: built and pushed once, by agentctl itself; a deploy of the same tree then only asks
//! its registry for the digest.

use serde_json::{Map, Value, json};

use super::{Pipeline, secrets};
use crate::render::{Failure, Input, Templates};
use crate::spec::Spec;

pub(super) struct Job {
    pub(super) script: String,
    pub(super) env: Map<String, Value>,
    /// For the one step that pushes.
    pub(super) secrets: Map<String, Value>,
    /// Its registry is GitHub's own, which knows the job already.
    pub(super) at_github: bool,
}

/// `None` where no environment runs images, a ready one is named, or there is no registry for it.
pub(super) fn job(
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Option<Job>, Failure> {
    let Some(registry) = registry(&input.spec).filter(|_| pipeline.runs_images()) else {
        return Ok(None);
    };
    Ok(Some(Job {
        script: templates.text("ci/image.sh", &())?,
        env: env(registry, pipeline),
        secrets: credentials(&input.spec, pipeline),
        at_github: registry == "ghcr.io",
    }))
}

fn env(registry: &str, pipeline: &Pipeline) -> Map<String, Value> {
    let stages = pipeline
        .stages
        .iter()
        .filter(|stage| stage.target.runs_images());
    let names: Vec<&str> = stages
        .filter_map(|stage| stage.environment.as_deref())
        .collect();
    let mut env = Map::new();
    env.insert("REGISTRY".to_owned(), json!(registry));
    env.insert("ENVIRONMENTS".to_owned(), json!(names.join(" ")));
    env
}

/// What whoever builds and pushes has to know.
pub(super) fn credentials(spec: &Spec, pipeline: &Pipeline) -> Map<String, Value> {
    let own = spec.build.iter().flat_map(|build| &build.secrets);
    let registry = ["REGISTRY_USER", "REGISTRY_PASSWORD"];
    secrets(
        registry.into_iter().chain(own.map(String::as_str)),
        pipeline,
    )
}

/// Where what is built here goes.
pub(super) fn registry(spec: &Spec) -> Option<&str> {
    let repository = spec.image.repository.as_deref()?;
    spec.build.as_ref().map(|_| host(repository))
}

/// As Docker reads it: a first part with a dot or a port is a host.
fn host(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}
