//! How one environment gets a release, and what is asked of it then.
//!
//! `agentctl deploy` walks the rollout where it can; where it cannot yet, what is rendered is
//! applied. This is the one place that changes when it can.

use serde_json::{Map, Value, json};

use super::{Pipeline, Stage, secrets, variable};
use crate::render::{Failure, Templates};
use crate::spec::{Kind, TargetSpec};

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
    let (deploy, smoke) = match stage.target {
        TargetSpec::Process { .. } => ("ci/deploy-process.sh", Some("ci/smoke-process.sh")),
        // It waits until the containers are healthy.
        TargetSpec::Docker { .. } => ("ci/deploy-docker.sh", None),
        TargetSpec::Kubernetes { .. } => {
            ("ci/deploy-kubernetes.sh", Some("ci/smoke-kubernetes.sh"))
        }
    };
    let asks = stage.spec.health.ready.is_some() && stage.spec.agent.kind.serves();
    let smoke = smoke.filter(|_| asks);
    Ok(Job {
        deploy: templates.text(deploy, &())?,
        smoke: smoke.map(|smoke| templates.text(smoke, &())).transpose()?,
        env: env(stage),
        secrets: match stage.target {
            TargetSpec::Process { .. } => own_secrets(stage, pipeline),
            _ => Map::new(),
        },
    })
}

/// What a process of the agent is given.
fn own_secrets(stage: &Stage, pipeline: &Pipeline) -> Map<String, Value> {
    secrets(stage.spec.secrets.values().filter_map(variable), pipeline)
}

fn env(stage: &Stage) -> Map<String, Value> {
    let spec = &stage.spec;
    let mut env = Map::new();
    let mut set = |name: &str, value: String| drop(env.insert(name.to_owned(), json!(value)));
    set("ENVIRONMENT", stage.environment.clone().unwrap_or_default());
    set("AGENT", spec.agent.name.clone());
    if let Some(path) = &spec.health.ready {
        set("READY", path.clone());
    }
    match &stage.target {
        TargetSpec::Process { .. } => set("AT", spec.run.port.to_string()),
        TargetSpec::Docker { host, .. } => {
            set("DOCKER_HOST", host.clone().unwrap_or_default());
        }
        TargetSpec::Kubernetes {
            context, namespace, ..
        } => {
            set("KUBE_CONTEXT", context.clone().unwrap_or_default());
            set("NAMESPACE", namespace.clone().unwrap_or_default());
            set("WORKLOAD", workload(stage));
            let within = spec.health.startup.within.as_millis() / 1000;
            set("WITHIN", format!("{}s", within + SLACK));
        }
    }
    env
}

/// Seconds for scheduling and pulling, beyond what a replica may take to start.
const SLACK: u64 = 300;

/// What is waited for; empty where nothing runs yet.
fn workload(stage: &Stage) -> String {
    let kind = match stage.spec.agent.kind {
        Kind::Service | Kind::Worker => "deployment",
        Kind::Stateful => "statefulset",
        Kind::Daemon => "daemonset",
        Kind::Job | Kind::Cron => return String::new(),
    };
    format!("{kind}/{}", stage.spec.agent.name)
}
