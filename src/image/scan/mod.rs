//! Looks for secrets in what is about to leave the machine.
//!
//! A finding says where and what kind, never the value. It would rather miss a weak password than
//! cry wolf: a scan that is always wrong gets switched off.

mod allow;
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

use anyhow::Result;

pub(crate) use allow::sort;
pub(crate) use dockerfile::in_dockerfile;
pub(crate) use names::by_name;
pub(crate) use reader::Reader;

use crate::advice::advice;

/// Counts up when what is found changes: what was looked through before is then looked at again.
pub(crate) const RULES: u32 = 3;

/// So many are listed; more would hide what to do.
const LISTED: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// In the context, or of the Dockerfile.
    pub(crate) path: String,
    /// From 1; `None`: the whole file.
    pub(crate) line: Option<usize>,
    pub(crate) what: &'static str,
}

/// What stands in a text that is no file of the context, and leaves the machine all the same.
pub(crate) fn in_text(path: &str, text: &str) -> Result<Vec<Finding>> {
    Ok(Reader::new()?.read(path, &mut text.as_bytes(), |_| {})?)
}

/// One error for all of them.
pub(crate) fn refuse(findings: &[Finding]) -> Result<()> {
    let Some(first) = findings.first() else {
        return Ok(());
    };
    let mut lines: Vec<String> = findings.iter().take(LISTED).map(in_words).collect();
    if findings.len() > LISTED {
        lines.push(format!("and {} more", findings.len() - LISTED));
    }
    Err(advice(
        format!(
            "these files would take secrets into the image:\n  {}",
            lines.join("\n  ")
        ),
        format!(
            "list them in .dockerignore; for one that is no secret: [[build.allow]] with path = \
             \"{}\" and a reason",
            first.path
        ),
    ))
}

fn in_words(finding: &Finding) -> String {
    let Finding { path, line, what } = finding;
    match line {
        Some(line) => format!("{path}:{line}: {what}"),
        None => format!("{path}: {what}"),
    }
}
