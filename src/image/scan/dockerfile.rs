//! Secrets in a Dockerfile: a variable's value stays readable in the image's history.

use super::Finding;
use super::value::is_placeholder;
use crate::image::dockerfile::Dockerfile;
use crate::spec::looks_secret;

pub(crate) fn in_dockerfile(path: &str, text: &str) -> Vec<Finding> {
    let given = Dockerfile::parse(text).given().into_iter();
    let secret = given.filter(|one| looks_secret(&one.name) && is_secret(&one.value));
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

fn is_secret(value: &str) -> bool {
    !value.is_empty() && !is_placeholder(value.as_bytes())
}
