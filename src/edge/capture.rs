//! Pairs of answers in a file, for whoever reads them later: one line of JSON each.
//!
//! Invariants: only its owner may read it (0600); it never grows beyond a bound; no value of a secret
//! that this edge has seen is in it; what cannot be written is told, and stops nothing.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;

use super::api::{self, Key};
use super::pair::Pair;
use super::secrets::Secrets;

const MOST: u64 = 64 << 20;

/// Where pairs are kept, and without what.
pub(crate) struct Keep {
    pub(crate) folder: PathBuf,
    pub(crate) secrets: Arc<Secrets>,
}

pub(crate) struct Capture {
    path: PathBuf,
    redact: Vec<Key>,
    secrets: Arc<Secrets>,
    open: Mutex<Option<Open>>,
    says: OnceLock<String>,
}

struct Open {
    file: File,
    bytes: u64,
}

impl Capture {
    pub(crate) fn new(capture: &api::Capture, keep: &Keep) -> Self {
        Self {
            path: keep.folder.join(&capture.file),
            redact: capture.redact.clone(),
            secrets: Arc::clone(&keep.secrets),
            open: Mutex::new(None),
            says: OnceLock::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Why nothing more is written.
    pub(crate) fn says(&self) -> Option<String> {
        self.says.get().cloned()
    }

    pub(crate) fn append(&self, pair: &Pair) {
        if self.says.get().is_some() {
            return;
        }
        if let Err(error) = self.keep(pair) {
            let _ = self.says.set(format!("{error:#}"));
        }
    }

    fn keep(&self, pair: &Pair) -> Result<()> {
        let secrets = self.secrets.redactor()?;
        let line = format!("{}\n", pair.line(&self.redact, &secrets));
        Ok(self.write(line.as_bytes())?)
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match &mut *open {
            Some(open) if open.is_there()? => open,
            gone => gone.insert(open_at(&self.path)?),
        };
        if open.bytes + line.len() as u64 > MOST {
            return Err(io::Error::other("it has 64 MiB"));
        }
        open.bytes += line.len() as u64;
        open.file.write_all(line)
    }
}

impl Open {
    /// Not taken away by who has read it.
    fn is_there(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.nlink() > 0)
    }
}

fn open_at(path: &Path) -> io::Result<Open> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok(Open { file, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_taken_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let capture = api::Capture {
            file: "pairs".to_owned(),
            redact: Vec::new(),
        };
        let keep = Keep {
            folder: folder.path().to_owned(),
            secrets: Arc::new(Secrets::new(folder.path().join("secrets.json"))),
        };
        let capture = Capture::new(&capture, &keep);
        let read = || std::fs::read_to_string(capture.path()).unwrap();
        capture.write(b"1\n").unwrap();
        capture.write(b"2\n").unwrap();
        assert_eq!(read(), "1\n2\n");
        std::fs::remove_file(capture.path()).unwrap();
        capture.write(b"3\n").unwrap();
        assert_eq!(read(), "3\n");
    }
}
