//! Documents, each with the fence of who wrote it: a later holder's is never overwritten by who lost
//! the lease.

use std::path::Path;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Shelf, Shelved};
use crate::journal::{Corrupt, Hold, format};

#[derive(Serialize, Deserialize)]
struct Cover {
    fence: u64,
}

pub(super) fn name(document: &str) -> String {
    format!("document-{document}")
}

pub(super) fn named(name: &str) -> Option<&str> {
    name.strip_prefix("document-")
}

/// The fence, and what was written under it.
pub(super) fn open(bytes: &[u8]) -> Result<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (cover, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
    let file = Path::new("document");
    let cover: Cover = format::parse(cover, file, |says| Corrupt {
        file: file.to_owned(),
        line: 1,
        says: says.to_owned(),
        hint: "deploy once more: agentctl deploy",
    })?;
    Ok((cover.fence, rest))
}

fn covered(fence: u64, bytes: &[u8]) -> Result<Vec<u8>> {
    let cover = format::versioned(&Cover { fence })? + "\n";
    Ok([cover.as_bytes(), bytes].concat())
}

impl<W: Shelf> Shelved<W> {
    pub(super) async fn put_document(&self, hold: &Hold, what: &str, bytes: &[u8]) -> Result<()> {
        let (name, fence) = (name(what), hold.fence());
        let mut is_new = self.is_absent(&name)?;
        loop {
            let there = match std::mem::take(&mut is_new) {
                true => None,
                false => self.way.get(&name).await?,
            };
            let last = there.as_ref().map(|kept| open(&kept.bytes)).transpose()?;
            let is_stale = last.is_some_and(|(last, _)| last > fence);
            if is_stale || self.read_head().await?.fence != fence {
                bail!(self.fenced().await?);
            }
            let over = there.as_ref().map(|kept| kept.version.as_str());
            let bytes = covered(fence, bytes)?;
            if self.write_through(&name, over, bytes).await?.is_some() {
                return Ok(());
            }
        }
    }
}
