//! Looks for secrets in what is about to leave the machine.
//!
//! A finding says where and what kind, never the value. It would rather miss a weak password than
//! cry wolf: a scan that is always wrong gets switched off.

mod allow;
mod chance;
mod content;
mod dockerfile;
mod formats;
mod keys;
mod login;
mod names;
mod reader;
#[cfg(test)]
mod tests;
mod value;
mod wide;

use std::fmt;

use anyhow::Result;
use serde::Serialize;

pub(crate) use allow::sort;
pub(crate) use dockerfile::in_dockerfile;
pub(crate) use names::by_name;
pub(crate) use reader::Reader;

use crate::advice::{pattern, shown, with_hint};

/// Counts up when what is found changes: what was looked through before is then looked at again.
pub(crate) const RULES: u32 = 5;

/// Before the name of a build argument, where the path of a finding is none of a file.
pub(crate) const ARGS: &str = "build.args.";

/// So many are listed; more would hide what to do.
const LISTED: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    /// In the context, or of the Dockerfile.
    #[serde(rename = "file")]
    pub(crate) path: String,
    /// From 1; `None`: the whole file.
    pub(crate) line: Option<usize>,
    pub(crate) what: &'static str,
}

/// What stands in a text that is no file of the context, and leaves the machine all the same.
pub(crate) fn in_text(path: &str, text: &str) -> Result<Vec<Finding>> {
    Ok(Reader::of_text()?.read(path, &mut text.as_bytes(), |_| {})?)
}

/// Secrets that would leave the machine: all of them, and in words the first.
#[derive(Debug)]
pub(crate) struct Leaks(pub(crate) Vec<Finding>);

impl fmt::Display for Leaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "these files would take secrets into the image:")?;
        for finding in self.0.iter().take(LISTED) {
            write!(f, "\n  {}", in_words(finding))?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for Leaks {}

/// One error for all of them; `dockerfile` is what findings in the Dockerfile have for a path.
pub(crate) fn refuse(findings: Vec<Finding>, dockerfile: &str) -> Result<()> {
    let Some(first) = findings.first() else {
        return Ok(());
    };
    let hint = format!(
        "{}; for one that is no secret: [[build.allow]] with path = \"{}\" and a reason",
        remedy(&findings, dockerfile),
        pattern(&first.path)
    );
    Err(with_hint(Leaks(findings).into(), hint))
}

/// The Dockerfile and the arguments are always sent, whatever .dockerignore says.
fn remedy(findings: &[Finding], dockerfile: &str) -> String {
    let out = "list them in .dockerignore";
    let mount = "give the build what it needs with secrets = [\"NAME\"] under [build], and in the \
                 Dockerfile RUN --mount=type=secret,id=NAME";
    let is_file = |one: &Finding| one.path != dockerfile && !one.path.starts_with(ARGS);
    let files = findings.iter().filter(|one| is_file(one)).count();
    match files {
        0 => mount.to_owned(),
        files if files == findings.len() => out.to_owned(),
        _ => format!("{out}; for what is in the Dockerfile, {mount}"),
    }
}

fn in_words(finding: &Finding) -> String {
    let Finding { path, line, what } = finding;
    let path = shown(path);
    match line {
        Some(line) => format!("{path}:{line}: {what}"),
        None => format!("{path}: {what}"),
    }
}
