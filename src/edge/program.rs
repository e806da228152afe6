//! Which program an edge is, and the newer one that was put beside its files.
//!
//! An edge in a container keeps its container, and with it the published port, when agentctl is
//! upgraded: the new program lies in the state folder, and whoever is started from the container's
//! image steps aside for it. It is found only by the image that it was put there for.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// In the environment of an edge, and of all that is started in its container.
pub(crate) const VARIABLE: &str = "AGENTCTL_PROGRAM";
/// Below the state folder.
pub(crate) const FOLDER: &str = "program";
/// In the folder, and in that of each program below it.
pub(crate) const FILE: &str = "current.json";

/// A program that takes the place of an image's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Current {
    pub(crate) instead_of: String,
    pub(crate) program: String,
    /// What it is started with; its own arguments follow.
    pub(crate) command: Vec<String>,
}

/// The version, and a hash of the file.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn name_of(executable: &Path) -> Result<String> {
    let mut hash = blake3::Hasher::new();
    let file = fs::File::open(executable).and_then(|file| io::copy(&mut &file, &mut hash));
    file.context("could not read this program's own file")?;
    let hash = hash.finalize().to_hex();
    let short = hash.get(..10).unwrap_or_default();
    Ok(format!("{}-{short}", env!("CARGO_PKG_VERSION")))
}

/// The name of the program that runs here, as it was told.
pub(super) fn own() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|name| !name.is_empty())
}

/// Becomes the newer program, if there is one; returns if there is none, or if it cannot be started.
pub(crate) fn step_aside(state: &Path) {
    let Some(current) = own().and_then(|own| newer(state, &own)) else {
        return;
    };
    let Some((program, first)) = current.command.split_first() else {
        return;
    };
    let _ = Command::new(program)
        .args(first)
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, &current.program)
        .exec();
}

fn newer(state: &Path, own: &str) -> Option<Current> {
    let text = fs::read(state.join(FOLDER).join(FILE)).ok()?;
    let current: Current = serde_json::from_slice(&text).ok()?;
    (current.instead_of == own && current.program != own).then_some(current)
}

/// This program is the one that counts now; others that were put there go.
pub(super) fn settle(state: &Path) -> io::Result<()> {
    let folder = state.join(FOLDER);
    let Some(own) = own().filter(|_| folder.is_dir()) else {
        return Ok(());
    };
    let mut keep = BTreeSet::from([PathBuf::from(FILE), PathBuf::from(&own)]);
    match folder.join(&own).join(FILE) {
        file if file.exists() => drop(fs::copy(file, folder.join(FILE))?),
        _ => keep.clear(),
    }
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            _ if keep.contains(Path::new(&entry.file_name())) => {}
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_program_is_found_by_the_image_that_it_is_for() {
        let state = tempfile::tempdir().unwrap();
        assert!(newer(state.path(), "1-a").is_none());
        let current = Current {
            instead_of: "1-a".to_owned(),
            program: "2-b".to_owned(),
            command: vec!["/state/program/2-b/agentctl".to_owned()],
        };
        fs::create_dir(state.path().join(FOLDER)).unwrap();
        let text = serde_json::to_vec(&current).unwrap();
        fs::write(state.path().join(FOLDER).join(FILE), text).unwrap();
        assert_eq!(newer(state.path(), "1-a").unwrap().program, "2-b");
        assert!(newer(state.path(), "2-b").is_none());
    }

    #[test]
    fn a_program_is_named_by_its_contents() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        fs::write(&path, "one").unwrap();
        let one = name_of(&path).unwrap();
        fs::write(&path, "two").unwrap();
        assert_ne!(one, name_of(&path).unwrap());
        assert!(one.starts_with(concat!(env!("CARGO_PKG_VERSION"), "-")));
    }
}
