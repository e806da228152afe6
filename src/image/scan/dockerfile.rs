//! Secrets in a Dockerfile: a variable's value stays readable in the image's history.

use super::Finding;
use super::chance::looks_random;
use super::content::SHORTEST_KEY;
use super::keys::names_key;
use super::value::is_placeholder;
use crate::image::dockerfile::Dockerfile;
use crate::spec::looks_secret;

pub(crate) fn in_dockerfile(path: &str, text: &str) -> Vec<Finding> {
    let given = Dockerfile::parse(text).given().into_iter();
    let secret = given.filter(|one| is_secret(&one.name, &one.value));
    let findings = secret.map(|one| Finding {
        path: path.to_owned(),
        line: Some(one.line),
        what: match one.in_command {
            true => "a secret in RUN",
            false => "a secret in ENV or ARG",
        },
    });
    let mut findings: Vec<_> = findings.collect();
    findings.dedup();
    findings
}

/// A password is one whatever it is; of what else is called a key most are no secrets.
fn is_secret(name: &str, value: &str) -> bool {
    match looks_secret(name) {
        true => !value.is_empty() && !is_placeholder(value.as_bytes()),
        false => names_key(name) && looks_random(value.as_bytes(), SHORTEST_KEY),
    }
}
