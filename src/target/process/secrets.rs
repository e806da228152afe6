//! Secret values: fetched where agentctl runs, kept beside the edge for the replicas it starts.
//!
//! The file is readable by its owner alone. Values are in no other file, order or message.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::StateDir;
use crate::advice::{Advise, advice};
use crate::durable::{self, PRIVATE};
use crate::spec::SecretSource;

pub(crate) type Values = BTreeMap<String, String>;

/// Fetches every value; `beside` is the folder of agent.toml.
pub(crate) fn fetch(
    sources: &BTreeMap<String, SecretSource>,
    beside: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Values> {
    let fetched = sources.iter().map(|(name, source)| {
        let value = value(name, source, beside, variable)?;
        match value.is_empty() {
            true => Err(advice(
                format!("the secret {name} is empty"),
                "give it a value, or take it out of [secrets] in agent.toml",
            )),
            false => Ok((name.clone(), value)),
        }
    });
    fetched.collect()
}

fn value(
    name: &str,
    source: &SecretSource,
    beside: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String> {
    match source {
        SecretSource::Env(from) => variable(from).ok_or_else(|| {
            advice(
                format!("the secret {name} has no value: the variable {from} is not set"),
                format!("export {from}=…, or change [secrets] in agent.toml"),
            )
        }),
        SecretSource::File(path) => {
            let text = fs::read_to_string(beside.join(path)).advise(
                format!("the secret {name} has no value: could not read {path}"),
                "write the value into that file, or change [secrets] in agent.toml",
            )?;
            Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
        }
        _ => Err(advice(
            format!("the secret {name} has no value: a process reads variables and files only"),
            format!("in the environment: secrets.{name} = {{ env = \"{name}\" }}"),
        )),
    }
}

/// The values that the last deploy left here.
pub(crate) fn kept(dir: &StateDir) -> Result<Values> {
    let path = dir.secrets();
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is not what agentctl wrote", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Values::new()),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// Keeps these, and the older ones of other names that an earlier release may need; the answer is
/// whether a value that was kept has changed.
pub(crate) fn keep(dir: &StateDir, values: Values) -> Result<bool> {
    let mut all = kept(dir)?;
    if values
        .iter()
        .all(|(name, value)| all.get(name) == Some(value))
    {
        return Ok(false);
    }
    let changed = values
        .iter()
        .any(|(name, value)| all.get(name).is_some_and(|old| old != value));
    all.extend(values);
    let path = dir.secrets();
    durable::replace(&path, &serde_json::to_vec(&all)?, PRIVATE)
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_from_variables_and_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("key"), "abc\n").unwrap();
        let sources = BTreeMap::from([
            ("A".to_owned(), SecretSource::Env("FROM".to_owned())),
            ("B".to_owned(), SecretSource::File("key".to_owned())),
        ]);
        let set = |name: &str| (name == "FROM").then(|| "xyz".to_owned());
        let values = fetch(&sources, dir.path(), &set).unwrap();
        assert_eq!(values["A"], "xyz");
        assert_eq!(values["B"], "abc");
        let unset = fetch(&sources, dir.path(), &|_| None).unwrap_err();
        assert_eq!(
            unset.to_string(),
            "the secret A has no value: the variable FROM is not set"
        );
    }
}
