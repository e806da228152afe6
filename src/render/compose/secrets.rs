//! Secrets: a variable of whoever starts the stack, or a file that Compose mounts. The file that is
//! rendered holds neither.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::beside::Entry;
use super::text::literal;
use crate::advice::advice;
use crate::render::Input;
use crate::spec::{Part, SecretSource, Spec, Template};

/// How one secret reaches a container.
pub(super) enum Reach {
    /// A text that Compose puts the value into.
    Variable(String),
    /// A file below `/run/secrets`.
    File,
}

pub(super) fn reach(name: &str, spec: &Spec) -> Result<Reach> {
    match spec.secrets.get(name) {
        Some(SecretSource::Env(variable)) => Ok(Reach::Variable(format!(
            "${{{variable}:?set {variable}, it is the secret {name} of agent.toml}}"
        ))),
        Some(SecretSource::File(_)) => Ok(Reach::File),
        _ => Err(advice(
            format!("Compose reads the secret {name} from a variable or a file only"),
            format!(
                "in an environment for it: [environments.local] with \
                 secrets.{name} = {{ env = \"{name}\" }}, and -e local"
            ),
        )),
    }
}

/// Where a file secret lies in a container.
pub(super) fn place(name: &str) -> String {
    format!("/run/secrets/{name}")
}

/// The text of a variable or a word.
pub(super) fn filled_in(template: &Template, spec: &Spec) -> Result<String> {
    let part = |part: &Part| match part {
        Part::Text(text) => Ok(literal(text)),
        Part::Variable(_) => Ok(spec.run.port.to_string()),
        Part::Secret(name) => match reach(name, spec)? {
            Reach::Variable(reference) => Ok(reference),
            Reach::File => Err(inside(name)),
        },
    };
    template.0.iter().map(part).collect()
}

fn inside(name: &str) -> anyhow::Error {
    advice(
        format!("the secret {name} is in a file, which Compose cannot put into a variable"),
        format!(
            "take it from a variable: {name} = {{ env = \"{name}\" }} under [secrets]; \
             or read the file that {name}_FILE names"
        ),
    )
}

pub(super) fn environment(
    env: &BTreeMap<String, Template>,
    spec: &Spec,
) -> Result<Map<String, Value>> {
    let filled = env
        .iter()
        .map(|(name, template)| Ok((name.clone(), json!(filled_in(template, spec)?))));
    filled.collect()
}

/// The secrets that files are mounted for, with the folder that they are meant from.
pub(super) fn files(entries: &[Entry], input: &Input) -> Result<Map<String, Value>> {
    let mut files = Map::new();
    for (name, file) in entries.iter().flat_map(|entry| &entry.secret_files) {
        let file = json!({ "file": literal(&super::agent::from_here(file, input)) });
        match files.get(name) {
            Some(other) if *other != file => {
                return Err(advice(
                    format!("environments read the secret {name} from different files"),
                    "render one environment: -e NAME",
                ));
            }
            _ => drop(files.insert(name.clone(), file)),
        }
    }
    Ok(files)
}

/// The file of a secret that is in one.
pub(super) fn file(name: &str, spec: &Spec) -> Option<(String, String)> {
    match spec.secrets.get(name)? {
        SecretSource::File(path) => Some((name.to_owned(), path.clone())),
        _ => None,
    }
}
