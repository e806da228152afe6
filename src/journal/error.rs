//! The four ways in which the journal says no, and what to do next.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Holder;
use super::format::FORMAT;

#[cfg(test)]
mod tests;

/// What to do about an error that began in the journal; `None` for any other.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    let held = || error.downcast_ref().map(Held::hint);
    let fenced = || error.downcast_ref().map(Fenced::hint);
    let newer = || error.downcast_ref().map(Newer::hint);
    let corrupt = || error.downcast_ref().map(Corrupt::hint);
    held().or_else(fenced).or_else(newer).or_else(corrupt)
}

/// Someone else has the lease.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The agent: a lease is for all that is done to it, not only for a rollout.
    pub(crate) what: String,
    pub(crate) holder: Holder,
    /// If no heartbeat comes, the lease is free after this long.
    pub(crate) stale_in: Duration,
    /// When it was asked for, in milliseconds since the epoch.
    pub(crate) at: u64,
}

impl Held {
    fn hint(&self) -> String {
        let seconds = self.stale_in.as_secs() + 1;
        format!(
            "wait until it is done, or ask it to stop with `agentctl abort`; \
             if it is dead, the next command takes over within {seconds} s"
        )
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what, holder, at, ..
        } = self;
        let since = clock(holder.since, *at);
        let silent = at.saturating_sub(holder.beat.at) / 1000;
        write!(
            f,
            "{what} is held by {} since {since}, last heartbeat {silent} s ago",
            holder.owner
        )
    }
}

/// This process had the lease and lost it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fenced {
    pub(crate) what: String,
    /// Who has it now; `None`: it was given back since.
    pub(crate) holder: Option<Holder>,
}

impl Fenced {
    fn hint(&self) -> String {
        "nothing was written; `agentctl status` shows what became of it".to_owned()
    }
}

impl fmt::Display for Fenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is no longer held by this process: it gave no heartbeat, and ",
            self.what
        )?;
        match &self.holder {
            Some(Holder { owner, since, .. }) => {
                write!(f, "{owner} took over at {}", clock(*since, *since))
            }
            None => write!(f, "someone else took over and is done"),
        }
    }
}

/// Written by an agentctl that knows more than this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Newer {
    pub(crate) file: PathBuf,
    pub(crate) format: u64,
}

impl Newer {
    fn hint(&self) -> String {
        "upgrade agentctl on this machine".to_owned()
    }
}

impl fmt::Display for Newer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, format } = self;
        write!(
            f,
            "{} was written by a newer agentctl (format {format}); this one reads up to {FORMAT}",
            file.display()
        )
    }
}

/// What is on the disk is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt {
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) says: String,
    pub(crate) hint: &'static str,
}

impl Corrupt {
    fn hint(&self) -> String {
        self.hint.to_owned()
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, says, ..
        } = self;
        write!(f, "{}, line {line}, is damaged: {says}", file.display())
    }
}

impl Error for Held {}
impl Error for Fenced {}
impl Error for Newer {}
impl Error for Corrupt {}

const DAY: u64 = 24 * 3600 * 1000;
/// The end of the year 9999, the last that can be written.
const LAST: u64 = 253_402_300_799_000;

/// `12:03:44Z`; with its date when that is another than `now`'s. Both in milliseconds.
fn clock(at: u64, now: u64) -> String {
    let time = std::time::UNIX_EPOCH + Duration::from_millis(at.min(LAST));
    let mut text = humantime::format_rfc3339_seconds(time).to_string();
    match at / DAY == now / DAY {
        true => text.split_off("2026-01-01T".len()),
        false => text,
    }
}
