//! A release: the immutable thing that runs, as what the user wrote and built.
//!
//! It knows no replicas, no weights and no strategy. Invariant: its identity is the hash of its
//! contents, with secrets by reference; nothing found out at run time is in it.

mod changes;
mod choice;
mod id;
mod identity;
mod record;

pub(crate) use changes::changes;
pub(crate) use choice::{Choice, MANIFESTS, Origin, choose};
pub(crate) use id::ReleaseId;
pub(crate) use identity::Identity;
pub(crate) use record::{Artifact, Contents, Given, Image, Release};
