//! Reads a file once, for the hash and for the scan, in memory that is always the same.

use std::io::{self, Read};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Result;
use memchr::{memchr, memchr_iter};

use super::Finding;
use super::content::{Block, needles};
use super::wide::Wide;

const BLOCK: usize = 128 << 10;
/// No secret's name or value is looked at beyond so many bytes: a line may be as long as it likes.
const AHEAD: usize = 1 << 10;
const BEHIND: usize = 128;
/// A NUL in the first so many bytes makes a file binary, as git sees it.
const HEAD: usize = 8 << 10;

pub(crate) struct Reader {
    needles: AhoCorasick,
    block: Vec<u8>,
}

impl Reader {
    pub(crate) fn new() -> Result<Self> {
        Self::with(AhoCorasickKind::DFA)
    }

    /// For one that is short.
    pub(super) fn of_text() -> Result<Self> {
        Self::with(AhoCorasickKind::NoncontiguousNFA)
    }

    fn with(kind: AhoCorasickKind) -> Result<Self> {
        Ok(Self {
            needles: needles(kind)?,
            block: vec![0; BLOCK],
        })
    }

    /// Hands on all bytes as they are read.
    pub(crate) fn read(
        &mut self,
        path: &str,
        file: &mut impl Read,
        mut bytes: impl FnMut(&[u8]),
    ) -> io::Result<Vec<Finding>> {
        let mut found = Vec::new();
        let (mut from, mut end, mut line) = (0, 0, 1);
        let (mut wide, mut is_binary) = (None, None);
        loop {
            let read = file.read(&mut self.block[end..])?;
            let fresh = &mut self.block[end..end + read];
            bytes(fresh);
            let wide = wide.get_or_insert_with(|| Wide::of(fresh));
            end += wide.as_mut().map_or(read, |wide| wide.narrow(fresh));
            let head = &self.block[..end.min(HEAD)];
            let is_binary = *is_binary.get_or_insert_with(|| memchr(0, head).is_some());
            let until = match read {
                0 => end,
                _ => end.saturating_sub(AHEAD).max(from),
            };
            let block = Block {
                bytes: &self.block[..end],
                is_binary,
            };
            block.scan(&self.needles, from..until, |at, what| {
                let line = line + memchr_iter(b'\n', &block.bytes[from..at.max(from)]).count();
                found.push((line, what));
            });
            if read == 0 {
                return Ok(findings(path, is_binary, found));
            }
            line += memchr_iter(b'\n', &self.block[from..until]).count();
            let keep = until.saturating_sub(BEHIND);
            self.block.copy_within(keep..end, 0);
            (from, end) = (until - keep, end - keep);
        }
    }
}

/// One a line and kind; a binary file has no lines.
fn findings(path: &str, is_binary: bool, mut found: Vec<(usize, &'static str)>) -> Vec<Finding> {
    if is_binary {
        found.sort_unstable_by_key(|(_, what)| *what);
        found.dedup_by_key(|(_, what)| *what);
    }
    found.dedup();
    let finding = |(line, what)| Finding {
        path: path.to_owned(),
        line: (!is_binary).then_some(line),
        what,
    };
    found.into_iter().map(finding).collect()
}
