//! The Secret that holds values from variables and files: no rendered file has a value, so whoever
//! applies the files by hand makes it by hand.

use super::env;
use crate::render::Input;
use crate::spec::SecretSource;

/// The command that makes it, for bash; `None` where nothing is needed.
pub(crate) fn secret_command(input: &Input) -> Option<String> {
    let secrets = input.spec.secrets.iter();
    let values: Vec<String> = secrets
        .filter_map(|(name, source)| Some(format!("--from-file={name}=<({})", value(source)?)))
        .collect();
    let namespace = input
        .namespace()
        .map(|name| format!(" --namespace {name}"))
        .unwrap_or_default();
    (!values.is_empty()).then(|| {
        format!(
            "kubectl create secret generic {}{namespace} \\\n    {}",
            env::own(input),
            values.join(" \\\n    ")
        )
    })
}

/// Prints it without naming it in the arguments of a process, which others could read.
fn value(source: &SecretSource) -> Option<String> {
    match source {
        SecretSource::Env(name) => Some(format!("printf %s \"${name}\"")),
        // The shell drops the newline at the end, which is not part of the value.
        SecretSource::File(path) => Some(format!("printf %s \"$(cat {})\"", quoted(path))),
        _ => None,
    }
}

fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''"))
}
