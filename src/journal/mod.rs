//! The journal: what happened, written down before it is believed, and the lease that says who may
//! write it.
//!
//! It does not know what records mean, imports no other room, and lives where the agent lives: a
//! [`Store`] is a state directory, and can be anything that other machines reach too. Invariants:
//! - a record that was appended is read back by everyone, whole and in order, or reading fails;
//! - one process writes at a time: every write checks its fencing number under the same lock that
//!   the lease is taken under, so who lost the lease cannot write, however long it slept;
//! - a fencing number rises with every acquisition and never comes back;
//! - no lock is ever deleted by hand: a dead holder's lease falls to whoever asks next.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(test)]
pub(crate) mod contract;
mod directory;
mod error;
mod format;
mod lease;
#[cfg(test)]
mod memory;
mod owner;
mod remote;
mod shelf;

pub(crate) use directory::Directory;
pub(crate) use error::{Corrupt, Fenced, Held, Newer, hint};
pub(crate) use lease::{Hold, Holder};
#[cfg(test)]
pub(crate) use memory::Memory;
pub(crate) use owner::Owner;
pub(crate) use remote::{Ask, Remote, Unanswered, answer};
pub(crate) use shelf::{Kept, LEASE, Shelf, Shelved};

/// How long a heartbeat may stay unchanged, seen by one observer, before the lease is free.
pub(crate) const TTL: Duration = Duration::from_secs(15);
/// How often a holder renews: two heartbeats may be lost, the third may not.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Where the journal lives. Reading needs no lease and changes nothing.
pub(crate) trait Store {
    /// The numbers of all rollouts, rising.
    async fn list(&self) -> Result<Vec<u64>>;

    /// All records of a rollout in order; none for a rollout that never began.
    ///
    /// Fails with [`Corrupt`] or [`Newer`].
    async fn read(&self, rollout: u64) -> Result<Vec<Record>>;

    /// Returns when the record is durable; a rollout begins with its first record. `at` is in
    /// milliseconds since the epoch.
    ///
    /// Fails with [`Fenced`], and after any failed write for good: what reached the disk is then
    /// known only to whoever opens the journal anew.
    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()>;

    /// Writes a document: all of it or nothing. Names are 1 to 100 of `a-z A-Z 0-9 . _ -`, not
    /// beginning with a dot. Fails with [`Fenced`].
    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()>;

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Takes the lease if it is free, its holder is known to be dead, or its heartbeat has not
    /// changed for its time to live since this `Store` first saw it here: so to wait for a lease is
    /// to call this again and again.
    ///
    /// Fails with [`Held`], which says how long at most.
    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold>;

    /// The heartbeat, due every [`HEARTBEAT`]. Fails with [`Fenced`].
    async fn renew(&self, hold: &Hold, at: u64) -> Result<()>;

    /// Fails with [`Fenced`] if there is nothing left to give back.
    async fn release(&self, hold: Hold) -> Result<()>;

    /// Who wrote itself down as holder; it may have died since.
    async fn holder(&self) -> Result<Option<Holder>>;

    /// Leaves a request for whoever holds the lease; needs none itself.
    async fn ask(&self, request: Asked) -> Result<()>;

    /// Takes the requests that were left for this rollout, each once; ones for another are dropped.
    /// Costs one look at a file's name when there is none.
    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>>;

    /// How often it may be looked at while another process writes.
    fn pace(&self) -> Duration {
        Duration::from_millis(50)
    }
}

/// Such names are files, keys of a ConfigMap and words in a message alike.
fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    ensure!(
        (1..=100).contains(&name.len()) && name.chars().all(plain) && !name.starts_with('.'),
        "\"{name}\" cannot be a document's name: 1 to 100 of a-z A-Z 0-9 . _ -, not beginning \
         with a dot"
    );
    Ok(())
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// From 0, without gaps.
    pub(crate) seq: u64,
    /// The fencing number of who wrote it.
    pub(crate) fence: u64,
    /// Milliseconds since the epoch, by the writer's clock.
    pub(crate) at: u64,
    #[serde(rename = "event")]
    pub(crate) payload: Value,
}

/// A request of a process that does not hold the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The rollout that is meant: an abort must not hit the one after it.
    pub(crate) rollout: u64,
    /// "abort", "approve" or "keep".
    pub(crate) kind: String,
    pub(crate) who: String,
    /// Milliseconds since the epoch.
    pub(crate) at: u64,
}

/// One moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Milliseconds since the epoch: written down and shown, never compared between machines.
    pub(crate) at: u64,
    /// What a heartbeat's age is measured by.
    pub(crate) tick: Instant,
}
