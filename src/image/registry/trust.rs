//! Whom a registry's certificate may come from, and the HTTP client that believes no other.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use reqwest::{Certificate, Client};

use super::{Repository, Surroundings};
use crate::advice::Advise;

/// Longer than it takes a registry far away, shorter than anybody waits.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// A look takes no registry long.
pub(super) const LOOK: Duration = Duration::from_secs(20);
/// A list of thousands of tags, or taking a manifest, does.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

pub(super) fn client(repository: &Repository, surroundings: &Surroundings) -> Result<Client> {
    // Fails where one was chosen before, and then there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = surroundings.certificates.join(repository.api());
    let builder = Client::builder()
        .user_agent(concat!("agentctl/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .tls_certs_merge(certificates(&folder)?);
    let builder = match repository.is_loopback() {
        true => builder.no_proxy(),
        false => builder.https_only(true),
    };
    builder.build().context("could not prepare TLS")
}

/// Those that the engine, too, believes for this registry: `FOLDER/*.crt`.
fn certificates(folder: &Path) -> Result<Vec<Certificate>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| unreadable(folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| unreadable(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "crt") {
            found.extend(certificate(&path)?);
        }
    }
    Ok(found)
}

fn certificate(path: &Path) -> Result<Vec<Certificate>> {
    let pem = fs::read(path).with_context(|| unreadable(path))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(anyhow::Error::from);
    let found = found.and_then(|found| match found.is_empty() {
        true => Err(anyhow!("there is no certificate in it")),
        false => Ok(found),
    });
    let hint = "put the CA's certificate there as PEM (-----BEGIN CERTIFICATE-----), or take the file away";
    found.advise(unreadable(path), hint)
}

fn unreadable(path: &Path) -> String {
    format!("could not use {}", path.display())
}
