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

use crate::advice::with_hint;

/// Counts up when what is found changes: what was looked through before is then looked at again.
pub(crate) const RULES: u32 = 4;

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

/// One error for all of them.
pub(crate) fn refuse(findings: Vec<Finding>) -> Result<()> {
    let Some(first) = findings.first() else {
        return Ok(());
    };
    let hint = format!(
        "list them in .dockerignore; for one that is no secret: [[build.allow]] with path = \
         \"{}\" and a reason",
        first.path
    );
    Err(with_hint(Leaks(findings).into(), hint))
}

fn in_words(finding: &Finding) -> String {
    let Finding { path, line, what } = finding;
    match line {
        Some(line) => format!("{path}:{line}: {what}"),
        None => format!("{path}: {what}"),
    }
}
