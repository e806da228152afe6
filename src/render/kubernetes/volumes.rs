//! What a pod holds beside its programs, and where its containers see it.

use serde_json::{Value, json};

use super::{collector, config, sidecars};
use crate::render::{Failure, Input, Templates};
use crate::spec::Sidecar;
use crate::spec::contract;

/// The volumes of a pod; the disks of a stateful agent come from its claims.
pub(super) fn all(input: &Input, templates: &Templates) -> Result<Vec<Value>, Failure> {
    let writable = 0..input.spec.run.writable.len();
    let beside = sidecars::names(input).map(scratch);
    let empty = writable.map(writable_name).chain(beside).map(empty);
    Ok(std::iter::once(config::volume(input))
        .chain(collector::volume(input, templates)?)
        .chain(empty)
        .collect())
}

fn empty(name: String) -> Value {
    json!({ "name": name, "emptyDir": {} })
}

fn writable_name(at: usize) -> String {
    format!("writable-{at}")
}

/// The volume that is `/tmp` of a sidecar.
fn scratch(sidecar: &str) -> String {
    format!("tmp-{sidecar}")
}

/// What the agent sees.
pub(super) fn of_agent(input: &Input) -> Vec<Value> {
    let run = &input.spec.run;
    let config = json!({ "name": config::VOLUME, "mountPath": contract::FOLDER, "readOnly": true });
    let writable = run.writable.iter().enumerate();
    let writable = writable.map(|(at, path)| mount(&writable_name(at), path));
    let disks = run.volumes.iter();
    let disks = disks.map(|(name, volume)| mount(name, &volume.path));
    std::iter::once(config)
        .chain(writable)
        .chain(disks)
        .collect()
}

/// What every sidecar may write to.
pub(super) fn of_tool(name: &str) -> Vec<Value> {
    vec![mount(&scratch(name), "/tmp")]
}

/// Disks of the agent, at the same path; and `/tmp`, if that is none of them.
pub(super) fn of_sidecar(input: &Input, name: &str, sidecar: &Sidecar) -> Vec<Value> {
    let all = &input.spec.run.volumes;
    let seen = sidecar.volumes.iter();
    let seen = seen.filter_map(|name| Some((name, &all.get(name)?.path)));
    let own = seen.clone().all(|(_, path)| path != "/tmp");
    let disks = seen.map(|(name, path)| mount(name, path));
    let scratch = of_tool(name).into_iter().filter(|_| own);
    disks.chain(scratch).collect()
}

fn mount(name: &str, path: &str) -> Value {
    json!({ "name": name, "mountPath": path })
}
