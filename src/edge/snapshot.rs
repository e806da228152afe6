//! What an edge must not forget: orders, and enough of each replica to find it again.
//!
//! The supervisor's memory *is* this book; it is written down whole before an order is acted on.
//! Counts are kept in a file of their own, because they change all the time and may be lost.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::api::{Recipe, Standing, Traffic};
use super::instance::Identity;
use super::replica::Replica;
use crate::advice::Advise;
use crate::durable::{self, PRIVATE};

/// How an edge that was told to stop goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Exit {
    AfterDraining,
    Now,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Book {
    pub(super) fence: u64,
    pub(super) exit: Option<Exit>,
    pub(super) listen: Option<SocketAddr>,
    /// The port where figures of agents are heard; those that run know it.
    #[serde(default)]
    pub(super) hears: Option<u16>,
    pub(super) traffic: Traffic,
    pub(super) pools: BTreeMap<String, KeptPool>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptPool {
    pub(super) wanted: u32,
    pub(super) recipe: Rc<Recipe>,
    pub(super) replicas: BTreeMap<u32, Kept>,
}

/// A replica, from the order to start it until its process is gone for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) standing: Standing,
    /// Milliseconds since the epoch: when it took this standing.
    pub(super) since: u64,
    pub(super) restarts: u32,
    pub(super) says: Option<String>,
    pub(super) running: Option<Running>,
    #[serde(skip)]
    pub(super) hands: Option<Hands>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) identity: Identity,
    pub(super) address: SocketAddr,
    /// Milliseconds since the epoch: when it was told to stop.
    pub(super) told: Option<u64>,
}

/// What a replica has only while this edge lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Hands {
    /// Wakes the replica's keeper when its standing was changed by an order.
    pub(super) poke: Rc<Notify>,
    /// Its place in the table, while it has a process.
    pub(super) placed: Option<Arc<Replica>>,
}

impl Kept {
    pub(super) fn new(now: u64) -> Kept {
        Kept {
            standing: Standing::Coming,
            since: now,
            restarts: 0,
            says: None,
            running: None,
            hands: None,
        }
    }

    pub(super) fn stand(&mut self, standing: Standing, now: u64) {
        if self.standing != standing {
            self.standing = standing;
            self.since = now;
        }
    }

    pub(super) fn is_staying(&self) -> bool {
        !matches!(self.standing, Standing::Leaving | Standing::Stopping)
    }
}

/// Whole or not at all, and still there after a power cut.
pub(super) fn write(path: &Path, content: &impl Serialize) -> Result<()> {
    serde_json::to_vec(content)
        .map_err(io::Error::from)
        .and_then(|bytes| durable::replace(path, &bytes, PRIVATE))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// For what may be lost: after a power cut it may be the one before, or empty.
pub(super) fn write_lightly(path: &Path, content: &impl Serialize) -> Result<()> {
    serde_json::to_vec(content)
        .map_err(io::Error::from)
        .and_then(|bytes| durable::replace_lightly(path, &bytes, PRIVATE))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The default when there is no such file.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T> {
    let text = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let path = path.display();
    serde_json::from_slice(&text).advise(
        format!(
            "cannot understand {path}: another version of agentctl wrote it, or a person changed it"
        ),
        format!(
            "restore it, or remove it: rm {path}; the next command then ends the replicas that still \
             run, and agentctl deploy starts them again"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_missing_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("edge.json");
        assert_eq!(read::<Book>(&path).unwrap().fence, 0);
        write(
            &path,
            &Book {
                fence: 7,
                ..Book::default()
            },
        )
        .unwrap();
        write_lightly(
            &path,
            &Book {
                fence: 8,
                ..Book::default()
            },
        )
        .unwrap();
        assert_eq!(read::<Book>(&path).unwrap().fence, 8);
    }

    #[test]
    fn what_is_not_understood_is_not_taken_for_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("edge.json");
        std::fs::write(&path, "{\"fence\":").unwrap();
        let error = format!("{:#}", read::<Book>(&path).unwrap_err());
        assert!(
            error.contains("cannot understand") && error.contains("EOF"),
            "{error}"
        );
    }
}
