//! What a `.dockerignore` leaves out, by Docker's own rules.
//!
//! Pure. The lines are asked in turn, a `!` only while a path is left out and any other only while it
//! is not; what decided about a folder decides so about all that is below. A folder is skipped whole
//! only where no `!` could take back something below it.

use anyhow::Result;

use super::glob::Glob;
use crate::advice::advice;

#[derive(Default)]
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    glob: Glob,
    /// `!`: what it matches is kept after all.
    keeps: bool,
}

/// Which rules decided something about a path or a folder above it.
#[derive(Clone, Default)]
pub(super) struct Hits(Vec<bool>);

impl Rules {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let rules = text.lines().enumerate().filter_map(|(index, line)| {
            let rule = rule(line)?;
            Some(rule.map_err(|why| {
                advice(
                    format!("line {} of .dockerignore is no pattern: {why}", index + 1),
                    "the rules: https://docs.docker.com/build/concepts/context/#dockerignore-files",
                )
            }))
        });
        rules.collect::<Result<_>>().map(Self)
    }

    pub(super) fn hits(&self, path: &str, above: &Hits) -> Hits {
        let mut is_out = false;
        let hit = |(index, rule): (usize, &Rule)| {
            // One that would change nothing is not asked, so that it is not noted for what is below.
            let is_asked = rule.keeps == is_out;
            let hit = above.0.get(index) == Some(&true) || (is_asked && rule.glob.matches(path));
            is_out = if hit { !rule.keeps } else { is_out };
            hit
        };
        Hits(self.0.iter().enumerate().map(hit).collect())
    }

    pub(super) fn ignores(&self, hits: &Hits) -> bool {
        let last = self.0.iter().zip(&hits.0).rfind(|(_, hit)| **hit);
        last.is_some_and(|(rule, _)| !rule.keeps)
    }

    pub(super) fn may_keep_below(&self, folder: &str) -> bool {
        let mut keeping = self.0.iter().filter(|rule| rule.keeps);
        keeping.any(|rule| rule.glob.may_match_below(folder))
    }
}

/// `None` for a comment and an empty line. A `#` is one at the very beginning only.
fn rule(line: &str) -> Option<Result<Rule, String>> {
    let text = line.trim();
    if line.starts_with('#') || text.is_empty() {
        return None;
    }
    let (keeps, text) = match text.strip_prefix('!') {
        Some(text) => (true, text.trim()),
        None => (false, text),
    };
    let pattern = clean(text);
    if text.is_empty() || (keeps && pattern == "/") {
        return Some(Err("nothing follows the !".to_owned()));
    }
    let glob = Glob::parse(&pattern);
    Some(glob.map(|glob| Rule { glob, keeps }))
}

/// As Go's `filepath.Clean`, then without the first slash.
fn clean(text: &str) -> String {
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if text.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true if text.starts_with('/') => "/".to_owned(),
        true => ".".to_owned(),
        false => parts.join("/"),
    }
}
