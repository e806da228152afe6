//! What makes the replicas, by the kind of agent.

use serde_json::{Value, json};

use super::{Part, pod, probes, replicas};
use crate::render::{Failure, Input, Templates};
use crate::spec::{Kind, Volume, contract};

/// Seconds that a finished job stays to be looked at.
const FINISHED: u64 = 24 * 3600;

pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let pod = pod::pod(input, templates)?;
    Ok(vec![match input.spec.agent.kind {
        Kind::Service | Kind::Worker => deployment(input, pod),
        Kind::Stateful => stateful_set(input, pod),
        Kind::Job => job(input, runs(input, templates, pod, Some(FINISHED))?),
        Kind::Cron => cron_job(input, runs(input, templates, pod, None)?),
        Kind::Daemon => daemon_set(input, pod),
    }])
}

fn deployment(input: &Input, pod: Value) -> Part {
    let rollout = &input.spec.rollout;
    let context = json!({
        "metadata": metadata(input),
        "replicas": replicas::fixed(input),
        "selector": input.workload_selector(),
        "surge": rollout.max_surge,
        "unavailable": rollout.max_unavailable,
        "pod": pod,
    });
    Part::new("kubernetes/deployment.yaml", "deployment", context)
}

fn stateful_set(input: &Input, pod: Value) -> Part {
    let volumes = input.spec.run.volumes.iter();
    let claims: Vec<Value> = volumes
        .map(|(name, volume)| claim(input, name, volume))
        .collect();
    let context = json!({
        "metadata": metadata(input),
        "replicas": replicas::fixed(input),
        "selector": input.workload_selector(),
        "service": super::reach::headless(input),
        "pod": pod,
        "claims": claims,
    });
    Part::new("kubernetes/stateful-set.yaml", "stateful-set", context)
}

fn claim(input: &Input, name: &str, volume: &Volume) -> Value {
    json!({
        "name": name,
        "labels": input.selector(),
        "class": volume.class,
        "size": volume.size,
    })
}

fn job(input: &Input, runs: Value) -> Part {
    let context = json!({ "metadata": metadata(input), "job": runs });
    Part::new("kubernetes/job.yaml", "job", context)
}

/// A CronJob clears its jobs away by their number, so that they need no time to live.
fn cron_job(input: &Input, runs: Value) -> Part {
    let spec = &input.spec;
    let zone = (input.minor() >= contract::TIME_ZONES).then_some(&spec.agent.time_zone);
    let context = json!({
        "version": if input.minor() >= 21 { "batch/v1" } else { "batch/v1beta1" },
        "metadata": metadata(input),
        "labels": input.replica_labels(),
        "schedule": spec.run.schedule,
        "time_zone": zone,
        "job": runs,
    });
    Part::new("kubernetes/cron-job.yaml", "cron-job", context)
}

/// How the work of one job is done; it `stays` so many seconds when it is.
fn runs(
    input: &Input,
    templates: &Templates,
    pod: Value,
    stays: Option<u64>,
) -> Result<Value, Failure> {
    let run = &input.spec.run;
    let context = json!({
        "replicas": run.replicas,
        "retries": run.retries,
        "time_limit": run.time_limit.map(probes::seconds),
        "stays": stays,
        "pod": pod,
    });
    templates.object("kubernetes/job-spec.yaml", &context)
}

fn daemon_set(input: &Input, pod: Value) -> Part {
    let context = json!({
        "metadata": metadata(input),
        "selector": input.workload_selector(),
        "pod": pod,
    });
    Part::new("kubernetes/daemon-set.yaml", "daemon-set", context)
}

fn metadata(input: &Input) -> Value {
    input.release_metadata(&input.workload())
}
