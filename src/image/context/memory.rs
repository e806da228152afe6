//! What was seen in files before, so that an unchanged tree is not read again.
//!
//! Only files without a finding are remembered: what is a secret is looked at every time. As in
//! git's index, a file is the same while its place on the disk, its size and its times are, and one
//! that changed a moment ago is not remembered: it could change again within the same tick of the
//! clock.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Entry, Kind, Mark};
use crate::image::scan::RULES;

/// In seconds: the coarsest clock of a file system.
const MOMENT: i64 = 2;

#[derive(Default)]
pub(crate) struct Memory {
    /// `None`: nothing is remembered.
    file: Option<PathBuf>,
    files: HashMap<String, Known>,
    /// In seconds since 1970.
    now: i64,
}

#[derive(PartialEq, Serialize, Deserialize)]
struct Known {
    mark: Mark,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    /// What another version looked for says nothing of what this one does.
    by: String,
    files: HashMap<String, Known>,
}

impl Memory {
    /// Of the files below `root`; what cannot be read was forgotten. `now` is in seconds since
    /// 1970.
    pub(crate) fn of(folder: &Path, root: &Path, now: i64) -> Self {
        let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
        let file = folder.join(format!("context-{}.json", &name[..16]));
        let text = fs::read(&file).unwrap_or_default();
        let written = serde_json::from_slice(&text).ok();
        let written = written.filter(|written: &Written| written.by == us());
        Self {
            files: written.map(|written| written.files).unwrap_or_default(),
            file: Some(file),
            now,
        }
    }

    pub(super) fn digest(&self, entry: &Entry) -> Option<&str> {
        let known = self.files.get(&entry.path)?;
        match entry.kind {
            Kind::File { mark, .. } if mark == known.mark => Some(&known.digest),
            _ => None,
        }
    }

    /// Instead of all that was remembered. Where there is no place for it, the next time takes
    /// longer, and that is all.
    pub(super) fn keep<'a>(&self, seen: impl Iterator<Item = (&'a Entry, &'a str)>) {
        let files = seen.filter_map(|(entry, digest)| self.known(entry, digest));
        let files: HashMap<_, _> = files.collect();
        if let Some(file) = self.file.as_ref().filter(|_| files != self.files) {
            let _ = write(file, &Written { by: us(), files });
        }
    }

    fn known(&self, entry: &Entry, digest: &str) -> Option<(String, Known)> {
        match entry.kind {
            Kind::File { mark, .. } if mark.last() + MOMENT < self.now => {
                let digest = digest.to_owned();
                Some((entry.path.clone(), Known { mark, digest }))
            }
            _ => None,
        }
    }
}

fn us() -> String {
    format!("{} {RULES}", env!("CARGO_PKG_VERSION"))
}

/// As a whole, or not at all.
fn write(file: &Path, written: &Written) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = file.with_extension(std::process::id().to_string());
    fs::write(&fresh, serde_json::to_vec(written)?)?;
    Ok(fs::rename(&fresh, file)?)
}
