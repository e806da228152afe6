//! The registry: what is in a repository, by its own API.
//!
//! Credentials are those that Docker's users have; they are looked up anew for each login and
//! never kept, printed or sent to another host than the registry, or the place that it names for
//! logins. What is not loopback is spoken to over TLS only.

mod auth;
mod client;
mod credentials;
mod failure;
mod repository;
#[cfg(test)]
mod tests;
mod trust;
mod vouched;
mod wire;

pub(crate) use client::{Manifest, Registry};
pub(crate) use credentials::Credentials;
pub(crate) use repository::{Digest, Repository};

use std::path::PathBuf;
use std::time::Duration;

use crate::docker;

/// What of the machine decides how a registry is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The folder of Docker's `config.json`.
    pub(crate) docker_config: Option<PathBuf>,
    /// The folder with a folder of CA certificates for each registry.
    pub(crate) certificates: PathBuf,
    /// The first wait before a try anew; each further one is twice as long.
    pub(crate) pause: Duration,
}

impl Surroundings {
    pub(crate) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            docker_config: docker::settings(variable),
            certificates: PathBuf::from("/etc/docker/certs.d"),
            pause: Duration::from_millis(500),
        }
    }
}
