//! Looks for secrets in what is about to leave the machine.
//!
//! A finding says where and what kind, never the value. It would rather miss a weak password than
//! cry wolf: a scan that is always wrong gets switched off.

mod allow;
mod chance;
mod content;
mod dockerfile;
mod formats;
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
pub(crate) const RULES: u32 = 4;

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
    let is_sent = |finding: &Finding| finding.path != dockerfile && !finding.path.starts_with(ARGS);
    let out = "list them in .dockerignore";
    let mounted = "give the build what it needs with secrets = [\"NAME\"] under [build], and in the \
                   Dockerfile RUN --mount=type=secret,id=NAME";
    let remedy = match (findings.iter().any(is_sent), findings.iter().all(is_sent)) {
        (true, true) => out.to_owned(),
        (false, _) => mounted.to_owned(),
        _ => format!("{out}; but {mounted}"),
    };
    let path = pattern(&first.path);
    let allow =
        format!("for one that is no secret: [[build.allow]] with path = \"{path}\" and a reason");
    Err(with_hint(
        Leaks(findings).into(),
        format!("{remedy}; {allow}"),
    ))
}

fn in_words(finding: &Finding) -> String {
    let Finding { path, line, what } = finding;
    let path = shown(path);
    match line {
        Some(line) => format!("{path}:{line}: {what}"),
        None => format!("{path}: {what}"),
    }
}
