//! A whole stack in one compose.yaml: the agent, what it needs beside it, and the files that belong
//! to both.
//!
//! What Compose cannot do is refused in words. Invariant: a text of agent.toml is one that Compose
//! puts nothing into; only references to secrets are.

mod agent;
mod beside;
mod collector;
mod container;
mod environments;
mod refuse;
mod secrets;
mod text;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::filled::filled;
use super::{Files, Input, Templates, yaml};
use beside::Entry;

pub(crate) use refuse::without_effect;

/// compose.yaml, and what it mounts or builds from.
pub(crate) fn compose(input: &Input, templates: &Templates) -> Result<Files> {
    refuse::check(input)?;
    let mut files = Files::one("compose.yaml", yaml::write(&stack(input, templates)?)?);
    files.add("config.json", json!(input.spec.config).to_string());
    for (path, text) in &input.prompts {
        files.add(format!("prompts/{path}"), text);
    }
    files.extend("", agent::image(input, templates)?);
    if let Some(config) = collector::config(input, templates)? {
        files.add("collector.yaml", yaml::write(&config)?);
    }
    if agent::has_front(input) {
        let context = json!({ "agent": input.spec.agent.name, "port": input.spec.run.port });
        let config = templates.text("compose/front.conf", &context)?;
        files.add("front.conf", config);
    }
    Ok(files)
}

fn stack(input: &Input, templates: &Templates) -> Result<Value> {
    let mut entries = agent::entries(input)?;
    entries.extend(beside::entries(input)?);
    entries.extend(environments::entries(input)?);
    entries.extend(beside::owner(&entries, input));
    let mut services = Map::new();
    for entry in &entries {
        let container = templates.object("compose/container.yaml", &entry.container)?;
        services.insert(entry.name.clone(), container);
    }
    let context = json!({
        "services": services,
        "volumes": filled(volumes(&entries)),
        "secrets": filled(secrets::files(&entries, input)?),
        "configs": filled(configs(input)),
    });
    Ok(templates.object("compose/compose.yaml", &context)?)
}

fn volumes(entries: &[Entry]) -> Map<String, Value> {
    let disks = entries.iter().flat_map(|entry| &entry.disks);
    disks
        .map(|disk| (disk.name.clone(), json!({})))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect()
}

fn configs(input: &Input) -> Map<String, Value> {
    let collector = collector::entry(input).map(|_| ("collector", "./collector.yaml"));
    let front = agent::has_front(input).then_some(("front", "./front.conf"));
    let all = collector.into_iter().chain(front);
    all.map(|(name, file)| (name.to_owned(), json!({ "file": file })))
        .collect()
}

#[cfg(test)]
mod tests;
