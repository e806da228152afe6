//! How one environment gets a release, and what is asked of it then: `agentctl deploy`, wherever
//! the agent runs.

use serde_json::{Map, Value, json};

use super::{Pipeline, Stage, image, secrets, variable};
use crate::render::{Failure, Templates};
use crate::spec::{SecretSource, TargetSpec};

pub(super) struct Job {
    pub(super) deploy: String,
    pub(super) smoke: Option<String>,
    /// For both.
    pub(super) env: Map<String, Value>,
    /// For the deploy alone.
    pub(super) secrets: Map<String, Value>,
}

pub(super) fn job(
    stage: &Stage,
    pipeline: &Pipeline,
    templates: &Templates,
) -> Result<Job, Failure> {
    let registry = registry(stage);
    let files = files(stage, pipeline);
    let smoke = match stage.target {
        TargetSpec::Kubernetes { .. } => "ci/smoke-kubernetes.sh",
        _ => "ci/smoke.sh",
    };
    let asks = stage.spec.health.ready.is_some() && stage.spec.agent.kind.serves();
    let smoke = asks.then(|| templates.text(smoke, &()));
    Ok(Job {
        deploy: templates.text(
            "ci/deploy.sh",
            &json!({ "registry": registry, "files": files.is_some() }),
        )?,
        smoke: smoke.transpose()?,
        env: env(stage, registry, files, pipeline),
        secrets: all_secrets(stage, registry, pipeline),
    })
}

/// Where its image is kept, and an image that is missing is pushed to.
fn registry(stage: &Stage) -> Option<&str> {
    image::registry(&stage.spec).filter(|_| stage.target.runs_images())
}

/// What the agent is given, and what its registry wants.
fn all_secrets(stage: &Stage, registry: Option<&str>, pipeline: &Pipeline) -> Map<String, Value> {
    let own = stage.spec.secrets.iter();
    let own = own.filter_map(|(name, source)| match beside(source) {
        Some(_) => Some(name.as_str()),
        None => variable(source),
    });
    let mut all = secrets(own, pipeline);
    if registry.is_some() {
        all.extend(image::credentials(&stage.spec, pipeline));
    }
    all
}

/// The file beside agent.toml that a secret is read from; one elsewhere is the machine's own.
fn beside(source: &SecretSource) -> Option<&str> {
    match source {
        SecretSource::File(path) if !path.starts_with('/') => Some(path),
        _ => None,
    }
}

/// A line for each secret that is read from a file beside agent.toml: the name of the variable that
/// holds its value, and the path from the top of the repository.
fn files(stage: &Stage, pipeline: &Pipeline) -> Option<String> {
    let secrets = stage.spec.secrets.iter();
    let lines = secrets.filter_map(|(name, source)| {
        let path = beside(source)?;
        Some(format!("{name} {}/{path}", pipeline.folder()))
    });
    let lines: Vec<String> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn env(
    stage: &Stage,
    registry: Option<&str>,
    files: Option<String>,
    pipeline: &Pipeline,
) -> Map<String, Value> {
    let mut env = Map::new();
    let mut set = |name: &str, value: &str| {
        env.insert(name.to_owned(), json!(pipeline.literal(value)));
    };
    set(
        "ENVIRONMENT",
        stage.environment.as_deref().unwrap_or_default(),
    );
    set("AGENT", &stage.spec.agent.name);
    if let Some(registry) = registry {
        set("REGISTRY", registry);
    }
    if let Some(files) = files {
        set("SECRET_FILES", &files);
    }
    if let Some(path) = &stage.spec.health.ready {
        set("READY", path);
    }
    if let TargetSpec::Kubernetes {
        context, namespace, ..
    } = &stage.target
    {
        set("KUBE_CONTEXT", context.as_deref().unwrap_or_default());
        set("NAMESPACE", namespace.as_deref().unwrap_or_default());
    }
    env
}
