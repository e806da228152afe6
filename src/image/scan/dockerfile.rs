//! Secrets in a Dockerfile: a variable's value stays readable in the image's history.

use super::Finding;
use super::value::is_placeholder;
use crate::spec::looks_secret;

pub(crate) fn in_dockerfile(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut first = 1;
    let mut instruction = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('#') || (instruction.is_empty() && line.is_empty()) {
            continue;
        }
        if instruction.is_empty() {
            first = index + 1;
        }
        let more = line.strip_suffix(['\\', '`']);
        instruction.push_str(more.unwrap_or(line));
        instruction.push(' ');
        if more.is_none() {
            found.extend(judge(&instruction).map(|what| Finding {
                path: path.to_owned(),
                line: Some(first),
                what,
            }));
            instruction.clear();
        }
    }
    found
}

fn judge(instruction: &str) -> Option<&'static str> {
    let (word, rest) = instruction.trim().split_once(char::is_whitespace)?;
    let given = |pairs: &str| pairs.split_whitespace().any(is_secret);
    match word.to_ascii_uppercase().as_str() {
        "ENV" | "ARG" if given(rest) || is_old(rest) => Some("a secret in ENV or ARG"),
        "RUN" if rest.split("export ").skip(1).any(given) => Some("a secret in RUN export"),
        _ => None,
    }
}

/// `NAME=value`
fn is_secret(pair: &str) -> bool {
    let literal = |value: &str| {
        let value = value.trim_matches(['"', '\'', ';']);
        !value.is_empty() && !value.contains('$') && !is_placeholder(value.as_bytes())
    };
    pair.split_once('=')
        .is_some_and(|(name, value)| looks_secret(name) && literal(value))
}

/// `ENV NAME value`
fn is_old(rest: &str) -> bool {
    match rest.trim().split_once(char::is_whitespace) {
        Some((name, value)) if !name.contains('=') => {
            is_secret(&format!("{name}={}", value.trim()))
        }
        _ => false,
    }
}
