//! Appending to a rollout's file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::files;
use crate::journal::{Record, format};

#[cfg(test)]
mod tests;

/// Knows the end of the file that it last wrote to. Invariant: after one failed write or sync it
/// never writes again, for the kernel may have dropped what it did not say it dropped, and a
/// second sync would then succeed.
#[derive(Default)]
pub(super) struct Pen {
    tail: Option<Tail>,
    broken: bool,
}

pub(super) struct Entry {
    pub(super) file: PathBuf,
    pub(super) fence: u64,
    pub(super) at: u64,
    pub(super) payload: Value,
}

/// The end of one file. Good for one fencing number: others may have written between two.
struct Tail {
    path: PathBuf,
    fence: u64,
    file: File,
    next: u64,
}

impl Pen {
    /// Returns when the record is durable. Needs the lock, and a fencing number that was checked
    /// under it.
    pub(super) fn write(&mut self, entry: Entry) -> Result<()> {
        ensure!(
            !self.broken,
            "nothing more is written to the journal, as a write to it failed before; \
             see that the disk is well and has room, then run the command again"
        );
        if !self.tail.as_ref().is_some_and(|tail| tail.serves(&entry)) {
            self.tail = Tail::open(&entry.file, entry.fence)?;
        }
        let path = entry.file.clone();
        let line = self.line(entry)?;
        let written = self.put(&path, &line);
        self.broken = written.is_err();
        written.with_context(|| format!("cannot write to the journal {}", path.display()))
    }

    fn line(&self, entry: Entry) -> Result<String> {
        format::line(&Record {
            seq: self.tail.as_ref().map_or(0, |tail| tail.next),
            fence: entry.fence,
            at: entry.at,
            payload: entry.payload,
        })
    }

    /// A new file appears together with its first line, so that no rollout is without a record.
    fn put(&mut self, path: &Path, line: &str) -> Result<()> {
        match &mut self.tail {
            Some(tail) => tail.append(line),
            None => files::replace(path, line.as_bytes()),
        }
    }
}

impl Tail {
    /// Cuts off what its last writer did not finish. `None`: there is no such file.
    fn open(path: &Path, fence: u64) -> Result<Option<Self>> {
        let Some(bytes) = files::read(path)? else {
            return Ok(None);
        };
        let format::Records { records, whole } = format::records(&bytes, path)?;
        let Some(file) = files::open_to_append(path)? else {
            return Ok(None);
        };
        if whole < bytes.len() {
            file.set_len(whole as u64)
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot cut the torn end of {}", path.display()))?;
        }
        Ok(Some(Self {
            path: path.to_owned(),
            fence,
            file,
            next: records.len() as u64,
        }))
    }

    fn serves(&self, entry: &Entry) -> bool {
        self.path == entry.file && self.fence == entry.fence
    }

    fn append(&mut self, line: &str) -> Result<()> {
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.next += 1;
        Ok(())
    }
}
