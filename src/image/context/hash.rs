//! One pass over the files of a context: what is in them, and whether any of it is a secret.
//!
//! BLAKE3, because SHA-256 takes longer than all the rest where the processor has no help for it.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;

use super::{Context, Entry, Kind, Memory};
use crate::advice::{Advise, shown};
use crate::image::scan::{Finding, Reader, by_name};
use crate::release::Identity;

/// More would only wait for the disk.
const THREADS: usize = 2;

pub(crate) struct Looked {
    /// The hash of every path, kind, executable bit, target and byte; nothing else decides it.
    pub(crate) identity: Identity,
    pub(crate) findings: Vec<Finding>,
}

/// What was seen in one entry.
struct Seen {
    index: usize,
    /// Hexadecimal.
    digest: String,
    findings: Vec<Finding>,
}

impl Context {
    /// Reads what has changed since it was remembered, and remembers it.
    pub(crate) fn look_through(&self, memory: &Memory) -> Result<Looked> {
        let next = AtomicUsize::new(0);
        let mut seen = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| scope.spawn(|| self.some(memory, &next)))
                .collect();
            let mut all = Vec::with_capacity(self.entries.len());
            for thread in threads {
                let some = thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a thread failed"));
                all.extend(some??);
            }
            anyhow::Ok(all)
        })?;
        seen.sort_unstable_by_key(|seen| seen.index);
        let clean = seen.iter().filter(|seen| seen.findings.is_empty());
        memory.keep(clean.map(|seen| (&self.entries[seen.index], seen.digest.as_str())));
        Ok(self.together(seen))
    }

    fn some(&self, memory: &Memory, next: &AtomicUsize) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        let mut reader = Reader::new()?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = self.entries.get(index) else {
                return Ok(seen);
            };
            if !matches!(entry.kind, Kind::File { .. }) {
                continue;
            }
            let (digest, findings) = match memory.digest(entry) {
                Some(digest) => (digest.to_owned(), Vec::new()),
                None => self.look(entry, &mut reader)?,
            };
            seen.push(Seen {
                index,
                digest,
                findings,
            });
        }
    }

    fn look(&self, entry: &Entry, reader: &mut Reader) -> Result<(String, Vec<Finding>)> {
        let what = || format!("could not look through {}", shown(&entry.path));
        let hint = "leave it out in .dockerignore if the image does not need it";
        let file = self.open(entry).advise(what(), hint)?;
        look(file, &entry.path, reader).advise(what(), hint)
    }

    fn together(&self, seen: Vec<Seen>) -> Looked {
        let mut hash = blake3::Hasher::new();
        let mut findings = Vec::new();
        let mut seen = seen.into_iter().peekable();
        for (index, entry) in self.entries.iter().enumerate() {
            let of_file = seen.next_if(|seen| seen.index == index);
            let contents = of_file.as_ref().map_or("", |seen| &seen.digest);
            digest(entry, contents, &mut hash);
            findings.extend(of_file.into_iter().flat_map(|seen| seen.findings));
        }
        Looked {
            identity: Identity::from_digest(hash.finalize().as_bytes()),
            findings,
        }
    }
}

fn look(
    mut file: impl Read,
    path: &str,
    reader: &mut Reader,
) -> std::io::Result<(String, Vec<Finding>)> {
    let mut hash = blake3::Hasher::new();
    let mut findings = reader.read(path, &mut file, |bytes| {
        hash.update(bytes);
    })?;
    if let Some(what) = by_name(path) {
        findings.insert(0, what);
    }
    Ok((hash.finalize().to_hex().to_string(), findings))
}

/// Every part ends where the next cannot be taken for it.
fn digest(entry: &Entry, contents: &str, hash: &mut blake3::Hasher) {
    let (kind, text) = match &entry.kind {
        Kind::File { mode: 0o644, .. } => (b'f', contents),
        Kind::File { .. } => (b'x', contents),
        Kind::Folder { .. } => (b'd', ""),
        Kind::Link { target } => (b'l', target.as_str()),
    };
    hash.update(&[kind]);
    for part in [&entry.path, text] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
}
