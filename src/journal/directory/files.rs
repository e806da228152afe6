//! Files that are whole and durable when these functions return, or were not touched.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use crate::durable::{self, PRIVATE, sync_folder, sync_parent};

pub(super) fn make_folders(root: &Path, names: &[&str]) -> Result<()> {
    if names.iter().all(|name| root.join(name).is_dir()) {
        return Ok(());
    }
    let make = |folder: &Path| {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        folder.parent().map_or(Ok(()), sync_folder)
    };
    make(root)
        .and_then(|()| names.iter().try_for_each(|name| make(&root.join(name))))
        .with_context(|| format!("cannot make the state folder {}", root.display()))
}

pub(super) fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .mode(PRIVATE)
        .create(true)
        .truncate(false)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    found(fs::read(path)).with_context(|| format!("cannot read {}", path.display()))
}

pub(super) fn exists(path: &Path) -> Result<bool> {
    let found = found(fs::symlink_metadata(path));
    Ok(found
        .with_context(|| format!("cannot look at {}", path.display()))?
        .is_some())
}

/// The names in a folder; none if it does not exist.
pub(super) fn list(folder: &Path) -> Result<Vec<String>> {
    let names = || {
        let entries = found(fs::read_dir(folder))?;
        let names = entries.into_iter().flatten();
        names
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<_>>()
    };
    names().with_context(|| format!("cannot read {}", folder.display()))
}

/// Needs the lock.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    durable::replace(path, bytes, PRIVATE)
        .with_context(|| format!("cannot write {}", path.display()))
}

pub(super) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path)
        .and_then(|()| sync_parent(path))
        .with_context(|| format!("cannot remove {}", path.display()))
}

/// `None` if there is none.
pub(super) fn open_to_append(path: &Path) -> Result<Option<File>> {
    found(OpenOptions::new().append(true).open(path))
        .with_context(|| format!("cannot open {}", path.display()))
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}
