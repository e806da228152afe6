//! Values of secrets that this edge has seen, for what is written down without them.
//!
//! Invariant: a value stays known when another has taken its place, because replicas that were started
//! with it run on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::snapshot;
use crate::redact::Redactor;

pub(crate) struct Secrets {
    file: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    /// Names with values.
    values: BTreeSet<(String, String)>,
    redactor: Arc<Redactor>,
}

/// Inode, and when it changed: the file is replaced whole.
type Stamp = (u64, i64, i64);

impl Secrets {
    pub(super) fn new(file: PathBuf) -> Self {
        let seen = Mutex::default();
        Self { file, seen }
    }

    /// Of all values so far.
    ///
    /// # Errors
    /// Where the file cannot be read: a value in it would not be known.
    pub(super) fn redactor(&self) -> Result<Arc<Redactor>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp =
            stamp(&self.file).with_context(|| format!("cannot look at {}", self.file.display()))?;
        if stamp != seen.stamp {
            let values: BTreeMap<String, String> = snapshot::read(&self.file)?;
            seen.values.extend(values);
            let pairs = seen.values.iter().map(|(name, value)| (name, value));
            seen.redactor = Arc::new(Redactor::of(pairs));
            seen.stamp = stamp;
        }
        Ok(Arc::clone(&seen.redactor))
    }
}

/// `None`: there is none.
fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(file) => Ok(Some((file.ino(), file.ctime(), file.ctime_nsec()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::{PRIVATE, replace};

    #[test]
    fn a_value_stays_known_after_its_successor_came() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.json");
        let secrets = Secrets::new(file.clone());
        let clean = || secrets.redactor().unwrap().redact("old-key new-key");
        assert_eq!(clean(), "old-key new-key");
        replace(&file, br#"{"KEY":"old-key"}"#, PRIVATE).unwrap();
        assert_eq!(clean(), "[KEY redacted] new-key");
        replace(&file, br#"{"KEY":"new-key"}"#, PRIVATE).unwrap();
        assert_eq!(clean(), "[KEY redacted] [KEY redacted]");
        replace(&file, b"{", PRIVATE).unwrap();
        assert!(secrets.redactor().is_err());
    }
}
