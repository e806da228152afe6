//! The source as text, for what is told about it and not about what it does.

use std::fs;
use std::path::Path;

use crate::support::repository;

pub(crate) struct Source {
    /// From `src/`: `edge/proxy.rs`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The first part of the path: `edge`, `lib`.
    pub(crate) fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.trim_end_matches(".rs")
    }

    /// A file of tests alone, or of what only tests need.
    pub(crate) fn is_test(&self) -> bool {
        let names = [
            "tests",
            "fixtures",
            "samples",
            "simulation",
            "contract",
            "fake",
            "memory",
        ];
        let mut parts = self.path.trim_end_matches(".rs").split('/');
        parts.any(|part| names.contains(&part))
    }

    /// Up to its unit tests, with the number of each line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| *line != "mod tests {");
        lines.enumerate().map(|(index, line)| (index + 1, line))
    }
}

pub(crate) fn all() -> Vec<Source> {
    let mut found = Vec::new();
    let root = repository().join("src");
    walk(&root, &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 50);
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(root).unwrap().display().to_string();
            found.push(Source { path, text });
        }
    }
}
