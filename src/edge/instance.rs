//! What runs for a replica now: a process, or a container.

use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::containers::Container;
use super::process::{self, Process};

pub(super) enum Instance {
    Process(Process),
    Container(Box<Container>),
}

/// Enough to find it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Identity {
    Process(process::Identity),
    /// The engine's name for it.
    Container(String),
}

impl Instance {
    pub(super) fn identity(&self) -> Identity {
        match self {
            Self::Process(process) => Identity::Process(process.identity()),
            Self::Container(container) => Identity::Container(container.id().to_owned()),
        }
    }

    /// No harm when it is gone already.
    pub(super) fn signal(&self, signal: Signal) {
        match self {
            Self::Process(process) => process.signal(signal),
            Self::Container(container) => container.signal(signal),
        }
    }

    /// Waits for its end, and tells how it ended.
    pub(super) async fn ended(&self) -> String {
        match self {
            Self::Process(process) => process.ended().await,
            Self::Container(container) => container.ended().await,
        }
    }
}

impl Identity {
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Process(process) => u32::try_from(process.pid).ok(),
            Self::Container(_) => None,
        }
    }

    pub(super) fn is_process(&self, identity: process::Identity) -> bool {
        *self == Self::Process(identity)
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(process) => write!(f, "process {}", process.pid),
            Self::Container(id) => write!(f, "container {}", id.get(..12).unwrap_or(id)),
        }
    }
}
