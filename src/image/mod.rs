//! From a folder and a Dockerfile to a digest in a registry, and what is kept there.
//!
//! It deploys nothing. Invariants: nothing leaves the machine before it was looked through for
//! secrets; the same tree, Dockerfile and arguments make the same tag; a tag is never a release's
//! identity, the digest is that the registry confirmed; what any release may still need is never
//! deleted.

mod build;
mod content;
mod context;
mod dockerfile;
mod git;
mod pin;
mod present;
mod progress;
mod provenance;
mod pull;
mod push;
mod recipe;
mod registry;
mod retention;
mod sbom;
mod scan;
mod sign;
mod tags;

pub(crate) use build::{Builder, Logins, build};
pub(crate) use content::content_tag;
pub(crate) use context::{Context, Kind as EntryKind, Looked, Memory, find, stays_inside, text};
pub(crate) use dockerfile::Dockerfile;
pub(crate) use git::{Commit, Unknown, ignored};
pub(crate) use pin::{LOCK, Lock, pin};
pub(crate) use present::{base, is_made, is_there, no_registrys, tag};
pub(crate) use progress::{Ended, Progress};
pub(crate) use provenance::{OF_AGENT, Provenance};
pub(crate) use pull::pull;
pub(crate) use push::{push, retag};
pub(crate) use recipe::Recipe;
pub(crate) use registry::{Credentials, Digest, Registry, Repository, Surroundings};
pub(crate) use retention::{Broken, Deployed, Fate, Stored, Why, delete, judge, stored};
pub(crate) use sbom::sbom;
pub(crate) use scan::{ARGS, Finding, Leaks, in_dockerfile, in_text, refuse, sort};
pub(crate) use sign::Cosign;
pub(crate) use tags::{Known, is_tag, tags};

#[cfg(test)]
#[path = "../../tests/support/registry.rs"]
mod fixture;

#[cfg(test)]
#[path = "../../tests/support/engine.rs"]
#[allow(dead_code, reason = "tests of the binary use more of it")]
pub(crate) mod engine_fixture;
