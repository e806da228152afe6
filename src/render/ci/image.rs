//! The image: built, pushed, and named by its digest from there on.

use serde_json::{Map, Value, json};

use super::{Pipeline, secrets};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Build, Runtime};

pub(super) struct Job {
    pub(super) script: String,
    pub(super) env: Map<String, Value>,
    /// Its registry is GitHub's own, which knows the job already.
    pub(super) at_github: bool,
}

/// `None` where no environment runs images, or a ready one is named.
pub(super) fn job(
    input: &Input,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Option<Job>, Failure> {
    let Some(build) = input.spec.build.as_ref().filter(|_| pipeline.builds(input)) else {
        return Ok(None);
    };
    let context = json!({ "secrets": build.secrets, "platforms": build.platforms.join(",") });
    Ok(Some(Job {
        script: templates.text("ci/image.sh", &context)?,
        env: env(build, input, pipeline),
        at_github: registry(&repository(input)) == "ghcr.io",
    }))
}

fn env(build: &Build, input: &Input, pipeline: &Pipeline) -> Map<String, Value> {
    let repository = repository(input);
    let dockerfile = match build.runtime {
        Runtime::Dockerfile => build.dockerfile.as_str(),
        _ => "Dockerfile",
    };
    let credentials = ["REGISTRY_USER", "REGISTRY_PASSWORD"];
    let own = build.secrets.iter().map(String::as_str);
    let mut env = secrets(credentials.into_iter().chain(own), pipeline);
    let version = input.spec.agent.version.as_deref().unwrap_or_default();
    for (name, value) in [
        ("CONTEXT", pipeline.context(input).as_str()),
        ("DOCKERFILE", dockerfile),
        ("REGISTRY", registry(&repository)),
        ("REPOSITORY", &repository),
        ("VERSION", version),
    ] {
        env.insert(name.to_owned(), json!(value));
    }
    env
}

fn repository(input: &Input) -> String {
    let image = &input.spec.image;
    image
        .repository
        .clone()
        .unwrap_or_else(|| input.spec.agent.name.clone())
}

/// As Docker reads it: a first part with a dot or a port is a host.
fn registry(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}
