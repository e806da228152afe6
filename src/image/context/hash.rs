//! One pass over the files of a context: what is in them, and whether any of it is a secret.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::{Context, Entry, Kind, file};
use crate::advice::Advise;
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
    digest: [u8; 32],
    findings: Vec<Finding>,
}

impl Context {
    pub(crate) fn look_through(&self) -> Result<Looked> {
        let next = AtomicUsize::new(0);
        let mut seen = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| scope.spawn(|| self.some(&next)))
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
        Ok(self.together(seen))
    }

    fn some(&self, next: &AtomicUsize) -> Result<Vec<Seen>> {
        let mut seen = Vec::new();
        let mut reader = Reader::new()?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = self.entries.get(index) else {
                return Ok(seen);
            };
            if let Kind::File { size, changed, .. } = entry.kind {
                let hint = "leave it out in .dockerignore if the image does not need it";
                let what = || format!("could not look through {}", entry.path);
                let file = file::open(&self.root, &entry.path, size, changed);
                let file = file.advise(what(), hint)?;
                let (digest, findings) =
                    look(file, &entry.path, &mut reader).advise(what(), hint)?;
                seen.push(Seen {
                    index,
                    digest,
                    findings,
                });
            }
        }
    }

    fn together(&self, seen: Vec<Seen>) -> Looked {
        let mut hash = Sha256::new();
        let mut findings = Vec::new();
        let mut seen = seen.into_iter().peekable();
        for (index, entry) in self.entries.iter().enumerate() {
            let of_file = seen.next_if(|seen| seen.index == index);
            digest(entry, of_file.as_ref().map(|seen| &seen.digest), &mut hash);
            findings.extend(of_file.into_iter().flat_map(|seen| seen.findings));
        }
        Looked {
            identity: Identity::from_digest(&hash.finalize()),
            findings,
        }
    }
}

fn look(
    mut file: impl Read,
    path: &str,
    reader: &mut Reader,
) -> std::io::Result<([u8; 32], Vec<Finding>)> {
    let mut hash = Sha256::new();
    let mut findings = reader.read(path, &mut file, |bytes| hash.update(bytes))?;
    if let Some(what) = by_name(path) {
        findings.insert(0, what);
    }
    Ok((hash.finalize().into(), findings))
}

/// Every part ends where the next cannot be taken for it.
fn digest(entry: &Entry, contents: Option<&[u8; 32]>, hash: &mut Sha256) {
    let (kind, text): (u8, &[u8]) = match &entry.kind {
        Kind::File { mode: 0o644, .. } => (b'f', contents.map_or(&[], |digest| digest)),
        Kind::File { .. } => (b'x', contents.map_or(&[], |digest| digest)),
        Kind::Folder { .. } => (b'd', &[]),
        Kind::Link { target } => (b'l', target.as_bytes()),
    };
    hash.update([kind]);
    for part in [entry.path.as_bytes(), text] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}
