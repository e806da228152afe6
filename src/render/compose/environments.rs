//! What only an environment has: in the file too, and started with its profile.

use std::collections::BTreeMap;

use anyhow::Result;

use super::beside::{self, Entry};
use crate::advice::advice;
use crate::render::{Input, presets};
use crate::spec::Spec;

/// Services and tools that the base does not have, each with the environments that add it.
pub(super) fn entries(input: &Input) -> Result<Vec<Entry>> {
    let mut all: BTreeMap<String, (Entry, Vec<String>)> = BTreeMap::new();
    for (environment, spec) in &input.stack.environments {
        for entry in added(spec, input)? {
            let name = entry.name.clone();
            let (known, profiles) = all.entry(name).or_insert((entry.clone(), Vec::new()));
            if *known != entry {
                return Err(differs(&entry.name, profiles, environment));
            }
            profiles.push(environment.clone());
        }
    }
    Ok(all.into_values().map(with_profiles).collect())
}

fn added(spec: &Spec, input: &Input) -> Result<Vec<Entry>> {
    let base = &input.spec;
    let services = spec.services.iter();
    let services = services.filter(|(name, _)| !base.services.contains_key(*name));
    let services =
        services.map(|(name, one)| beside::service(presets::service(name, one, spec), spec, input));
    let tools = spec.tools.iter();
    let tools = tools.filter(|(name, _)| !base.tools.contains_key(*name));
    let tools = tools.map(|(name, one)| beside::tool(name, one, spec, input));
    services.chain(tools).collect()
}

fn with_profiles((mut entry, profiles): (Entry, Vec<String>)) -> Entry {
    entry.container.profiles = Some(profiles);
    entry
}

fn differs(name: &str, profiles: &[String], environment: &str) -> anyhow::Error {
    let first = profiles.first().map(String::as_str).unwrap_or_default();
    advice(
        format!("{name} differs between the environments {first} and {environment}"),
        format!("one file cannot hold both; render one of them: -e {environment}"),
    )
}
