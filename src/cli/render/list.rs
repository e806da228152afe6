//! What was rendered into a folder, so that it can be written anew and taken away.
//!
//! Each kind of thing has files of its own there: rendering one takes nothing of another away.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};

use super::What;
use crate::advice::{Advise, advice};
use crate::release::Identity;
use crate::render::Files;

const LIST: &str = ".agentctl-rendered";

/// Files by the hash that they were written with.
type Written = BTreeMap<String, String>;

#[derive(Default)]
pub(super) struct List(BTreeMap<What, Written>);

impl List {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(LIST);
        if folder.is_file() {
            return Err(advice(
                format!("{} is a file", folder.display()),
                "name the folder that files are written into: -o FOLDER",
            ));
        }
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            bytes => bytes.with_context(|| format!("could not read {}", path.display()))?,
        };
        parsed(&bytes).map(Self).advise(
            format!("{} is not what agentctl wrote", path.display()),
            "remove it, then write the files anew with --force",
        )
    }

    pub(super) fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.0)? + "\n")
    }

    pub(super) fn path(folder: &Path) -> std::path::PathBuf {
        folder.join(LIST)
    }

    /// Whether agentctl wrote just this there.
    pub(super) fn has(&self, path: &str, bytes: &[u8]) -> bool {
        let hash = hash(bytes);
        let mut lists = self.0.values();
        lists.any(|written| written.get(path) == Some(&hash))
    }

    /// What was written for `what` before, and is not any more. Pipelines of several agents lie in one
    /// repository: none of them is left over because another is written.
    pub(super) fn left(&self, what: What, files: &Files) -> Vec<&str> {
        if what == What::Ci {
            return Vec::new();
        }
        let others = self.0.iter().filter(|(other, _)| **other != what);
        let others: Vec<&Written> = others.map(|(_, written)| written).collect();
        let is_left = |path: &&str| {
            let mut others = others.iter();
            !files.iter().any(|(kept, _)| kept == *path)
                && !others.any(|other| other.contains_key(*path))
        };
        let before = self.0.get(&what).into_iter().flatten();
        let paths = before.map(|(path, _)| path.as_str());
        paths.filter(is_left).collect()
    }

    /// A file that others write too is theirs as it is now.
    pub(super) fn note(&mut self, what: What, files: &Files) {
        let hashed = files.iter().map(|(path, text)| {
            let hash = hash(text.as_bytes());
            (path.to_owned(), hash)
        });
        let written: Written = hashed.collect();
        for other in self.0.values_mut() {
            for (path, hash) in other {
                if let Some(new) = written.get(path) {
                    hash.clone_from(new);
                }
            }
        }
        let kept = self.0.remove(&what).filter(|_| what == What::Ci);
        let all = kept.into_iter().flatten().chain(written);
        self.0.insert(what, all.collect());
    }
}

/// The list may come from somebody else: no path in it leads out of the folder.
fn parsed(bytes: &[u8]) -> Result<BTreeMap<What, Written>> {
    let lists: BTreeMap<What, Written> = serde_json::from_slice(bytes)?;
    for path in lists.values().flat_map(BTreeMap::keys) {
        let mut parts = Path::new(path).components();
        let inside = parts.all(|part| matches!(part, Component::Normal(_)));
        ensure!(inside, "{path} is not in the folder");
    }
    Ok(lists)
}

fn hash(bytes: &[u8]) -> String {
    Identity::of(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(all: &[(&str, &str)]) -> Files {
        let mut files = Files::default();
        for (path, text) in all {
            files.add(*path, (*text).to_owned());
        }
        files
    }

    #[test]
    fn only_what_was_rendered_of_the_same_kind_is_left_over() {
        let mut list = List::default();
        list.note(
            What::Dockerfile,
            &files(&[("Dockerfile", "1"), ("old", "1")]),
        );
        list.note(
            What::Compose,
            &files(&[("compose.yaml", "1"), ("Dockerfile", "2")]),
        );
        let none = Files::default();
        assert!(list.left(What::Ci, &none).is_empty());
        assert_eq!(list.left(What::Dockerfile, &none), ["old"]);
        assert_eq!(list.left(What::Compose, &none), ["compose.yaml"]);
        assert!(list.has("Dockerfile", b"2") && !list.has("Dockerfile", b"1"));
        list.note(What::Ci, &files(&[("a.yaml", "1")]));
        list.note(What::Ci, &files(&[("b.yaml", "1")]));
        assert!(list.left(What::Ci, &none).is_empty());
        assert!(list.has("a.yaml", b"1") && list.has("b.yaml", b"1"));
        let text = list.text().unwrap();
        assert_eq!(parsed(text.as_bytes()).unwrap(), list.0);
    }
}
