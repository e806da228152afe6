//! What differs between two releases, in the words of agent.toml.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Contents;

/// A value that differs, by the name that agent.toml has for it.
pub(super) struct Changed {
    pub(super) name: String,
    old: Option<String>,
    new: Option<String>,
}

/// One line per changed value: `config.settings.temperature: 0.3 → 0.7`.
pub(crate) fn changes(old: &Contents, new: &Contents) -> serde_json::Result<Vec<String>> {
    let mut all = changed(old, new)?;
    // Whatever else changed says it better.
    if all.len() > 1 {
        all.retain(|changed| changed.name != WORKLOAD);
    }
    Ok(all.iter().map(Changed::line).collect())
}

/// Everything in a cluster that makes replicas, as a hash.
const WORKLOAD: &str = "cluster.workload";

/// What a Secret of the cluster has, as a hash.
const REFERRED: &str = "cluster.referred.";

pub(super) fn changed(old: &Contents, new: &Contents) -> serde_json::Result<Vec<Changed>> {
    let (mut old, mut new) = (flat(old)?, flat(new)?);
    let mut names: Vec<String> = old.keys().chain(new.keys()).cloned().collect();
    names.sort();
    names.dedup();
    let both = names.into_iter().map(|name| Changed {
        old: old.remove(&name),
        new: new.remove(&name),
        name,
    });
    Ok(both.filter(|one| one.old != one.new).collect())
}

impl Changed {
    /// The agent's files, or its image.
    pub(super) fn is_files(&self) -> bool {
        self.name == "artifact.files" || self.name == "image"
    }

    fn line(&self) -> String {
        let name = &self.name;
        match (&self.old, &self.new) {
            _ if name == "artifact.files" => "files of the agent".to_owned(),
            _ if name == "image" => "image of the agent".to_owned(),
            _ if name == WORKLOAD => "what makes its replicas in the cluster".to_owned(),
            _ if name == "cluster.secret_values" => "the value of a secret".to_owned(),
            _ if name.starts_with(REFERRED) => self.referred(&name[REFERRED.len()..]),
            _ if name.starts_with("config.prompts.") => format!("{name} has another text"),
            (Some(old), Some(new)) => format!("{name}: {old} → {new}"),
            (Some(old), None) => format!("{name}: {old} → not set"),
            (None, new) => format!("{name}: {}", new.as_deref().unwrap_or("not set")),
        }
    }

    fn referred(&self, secret: &str) -> String {
        match (&self.old, &self.new) {
            (Some(_), Some(_)) => format!("a value in the Secret {secret}"),
            (None, _) => format!("what the Secret {secret} has counts from now on"),
            (_, None) => format!("what the Secret {secret} has counts no more"),
        }
    }
}

fn flat(contents: &Contents) -> serde_json::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let value = serde_json::to_value(contents)?;
    flatten(String::new(), &value, &mut found);
    Ok(found)
}

fn flatten(name: String, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = match name.is_empty() {
                    true => key.clone(),
                    false => format!("{name}.{key}"),
                };
                flatten(name, value, found);
            }
        }
        Value::Null => {}
        value => {
            found.insert(in_words(&name), value.to_string());
        }
    }
}

/// Where a value stands in agent.toml.
fn in_words(name: &str) -> String {
    let in_run = [
        "command",
        "env",
        "port",
        "user",
        "writable",
        "resources",
        "gpu",
    ];
    let name = name.strip_prefix("artifact.image.").unwrap_or(name);
    let first = name.split(['.', '[']).next().unwrap_or_default();
    match name {
        "name" => "image".to_owned(),
        _ if name.starts_with("prompts.") => format!("config.{name}"),
        _ if name.starts_with("labels.") => format!("agent.{name}"),
        _ if in_run.contains(&first) => format!("run.{name}"),
        _ => name.to_owned(),
    }
}
