//! What Compose cannot do, in words: nothing is left out in silence.

use anyhow::Result;

use super::agent;
use crate::advice::advice;
use crate::render::Input;
use crate::spec::{Kind, Mode, SecretSource, Spec};

type Refusal = (String, String);

pub(super) fn check(input: &Input) -> Result<()> {
    let refusals = [
        clock(&input.spec),
        replicas(input),
        gpu(&input.spec),
        build_secrets(input),
        told_twice(&input.spec),
    ];
    match refusals.into_iter().flatten().next() {
        Some((what, hint)) => Err(advice(what, hint)),
        None => Ok(()),
    }
}

fn clock(spec: &Spec) -> Option<Refusal> {
    (spec.agent.kind == Kind::Cron).then(|| {
        (
            "Compose has no clock: it cannot start a cron agent at its times".to_owned(),
            "agentctl render kubernetes makes a CronJob; or set agent.kind = \"job\" in an \
             environment, and have the machine's cron run docker compose up"
                .to_owned(),
        )
    })
}

/// What belongs to one replica cannot be told apart for several.
fn replicas(input: &Input) -> Option<Refusal> {
    let spec = &input.spec;
    let count = agent::replicas(spec);
    if count == 1 {
        return None;
    }
    let one = "run.replicas = 1 in an environment for it";
    let sidecar = |(_, tool): &(_, &crate::spec::Tool)| tool.mode == Mode::Sidecar;
    let environments = input.stack.environments.values();
    let specs = std::iter::once(spec).chain(environments);
    let mut tools = specs.flat_map(|spec| &spec.tools);
    if let Some((name, _)) = tools.find(sidecar) {
        return Some((
            format!("Compose cannot give each of {count} replicas a sidecar {name} of its own"),
            format!("mode = \"service\" under [tools.{name}], or {one}"),
        ));
    }
    if let Some(name) = spec.sidecars.keys().next() {
        return Some((
            format!("Compose cannot give each of {count} replicas a sidecar {name} of its own"),
            one.to_owned(),
        ));
    }
    let volume = spec.run.volumes.keys().next()?;
    Some((
        format!("Compose cannot give each of {count} replicas a disk {volume} of its own"),
        one.to_owned(),
    ))
}

fn gpu(spec: &Spec) -> Option<Refusal> {
    let gpu = spec.run.gpu.as_ref()?;
    (gpu.kind != "nvidia.com/gpu").then(|| {
        (
            format!(
                "Compose reserves whole NVIDIA devices only, not {}",
                gpu.kind
            ),
            "run.gpu.kind = \"nvidia.com/gpu\" in an environment for it".to_owned(),
        )
    })
}

/// Only newer versions of Compose know secrets of a build.
fn build_secrets(input: &Input) -> Option<Refusal> {
    let build = input
        .spec
        .build
        .as_ref()
        .filter(|_| !input.stack.is_ready)?;
    let name = build.secrets.first()?;
    Some((
        format!("Compose cannot give a build the secret {name} in every version that is used"),
        format!(
            "docker build --secret id={name},env={name} -t IMAGE … builds it; \
             then name it: --image IMAGE"
        ),
    ))
}

/// The variable that tells where a file is.
fn told_twice(spec: &Spec) -> Option<Refusal> {
    let files = spec.secrets.iter();
    let mut files = files.filter(|(_, source)| matches!(source, SecretSource::File(_)));
    let (name, _) = files.find(|(name, _)| {
        let told = format!("{name}_FILE");
        spec.run.env.contains_key(&told) || spec.secrets.contains_key(&told)
    })?;
    Some((
        format!("{name}_FILE tells where the secret {name} is, and has another value already"),
        format!("take {name}_FILE out of run.env and [secrets]"),
    ))
}

/// Paths of what is given and does nothing in Compose.
pub(crate) fn without_effect(spec: &Spec) -> Vec<&'static str> {
    let given = [
        ("run.time_limit", spec.run.time_limit.is_some()),
        ("run.nodes", spec.run.nodes != Default::default()),
        ("scale", spec.scale.is_some()),
        ("network.allow", spec.network.allow.is_some()),
        ("network.host", spec.network.host.is_some()),
        ("observe.dashboards", spec.observe.dashboards),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(path, _)| path).collect()
}
