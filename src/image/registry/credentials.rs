//! Who the registry is told that we are: as `docker login` left it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::auth::DockerCredentials;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Repository;
use crate::advice::because;

/// A person may have to unlock a keychain.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has no `Debug`, so that no message can hold it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    /// User and password.
    Basic(String, String),
    /// What a registry gave at login instead of a password.
    Identity(String),
}

impl Credentials {
    /// Asks a credential helper where `config.json` names one; `folder` is that file's.
    pub(crate) async fn find(folder: Option<&Path>, repository: &Repository) -> Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::None);
        };
        let (file, repository) = (folder.join("config.json"), repository.clone());
        let host = repository.host.clone();
        let (tell, told) = oneshot::channel();
        // Nothing waits for this thread: the program may end while a helper goes on.
        thread::spawn(move || tell.send(read(file, &repository)));
        match timeout(PATIENCE, told).await {
            Ok(found) => found.context("the credential helper gave no answer")?,
            Err(_) => Err(because(
                format!("could not look up the login for {host}"),
                format!(
                    "what config.json in {} names has not answered for {} s",
                    folder.display(),
                    PATIENCE.as_secs()
                ),
                format!("see what it waits for: echo {host} | docker-credential-NAME get"),
            )),
        }
    }

    /// What the engine asks the registry with.
    pub(crate) fn for_engine(&self, repository: &Repository) -> DockerCredentials {
        let mut whole = DockerCredentials {
            serveraddress: Some(repository.key().to_owned()),
            ..DockerCredentials::default()
        };
        match self.clone() {
            Self::None => (),
            Self::Basic(user, password) => {
                (whole.username, whole.password) = (Some(user), Some(password));
            }
            Self::Identity(token) => whole.identitytoken = Some(token),
        }
        whole
    }

    /// The value of the header `X-Registry-Auth`.
    pub(crate) fn header(&self, repository: &Repository) -> Result<String> {
        let whole = serde_json::to_vec(&self.for_engine(repository))?;
        Ok(URL_SAFE.encode(whole))
    }
}

fn read(file: PathBuf, repository: &Repository) -> Result<Credentials> {
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Credentials::None),
        text => text.with_context(|| format!("could not read {}", file.display()))?,
    };
    if text.trim().is_empty() {
        return Ok(Credentials::None);
    }
    let text = by_host(text);
    match docker_credential::get_credential_from_reader(text.as_bytes(), repository.key()) {
        Ok(found) => Ok(of(found)),
        Err(error) if means_none(&error) => Ok(Credentials::None),
        Err(error) => Err(failure(&error, &file, repository)),
    }
}

/// Docker takes `a.io/` and `a.io/v2/` for `a.io`, where that itself is not there.
fn by_host(text: String) -> String {
    let Ok(mut config) = serde_json::from_str::<Value>(&text) else {
        return text;
    };
    let Some(auths) = config.get_mut("auths").and_then(Value::as_object_mut) else {
        return text;
    };
    for (key, login) in auths.clone() {
        match key.split_once('/') {
            Some((host, _)) if !key.contains("://") => {
                auths.entry(host).or_insert(login);
            }
            _ => {}
        }
    }
    config.to_string()
}

/// Helpers give an empty user for what they have nothing for.
fn of(found: DockerCredential) -> Credentials {
    match found {
        DockerCredential::IdentityToken(token) => Credentials::Identity(token),
        DockerCredential::UsernamePassword(user, password)
            if user.is_empty() && password.is_empty() =>
        {
            Credentials::None
        }
        // Some tools end what they encode with a NUL, which Docker takes off.
        DockerCredential::UsernamePassword(user, password) => {
            Credentials::Basic(user, password.trim_matches('\0').to_owned())
        }
    }
}

/// A helper says so on its output and fails.
fn means_none(error: &CredentialRetrievalError) -> bool {
    match error {
        CredentialRetrievalError::NoCredentialConfigured => true,
        CredentialRetrievalError::HelperFailure { stdout, stderr, .. } => [stdout, stderr]
            .iter()
            .any(|said| said.contains("credentials not found")),
        _ => false,
    }
}

fn failure(
    error: &CredentialRetrievalError,
    file: &Path,
    repository: &Repository,
) -> anyhow::Error {
    use CredentialRetrievalError as Error;
    let what = format!("could not look up the login for {}", repository.host);
    let file = file.display();
    let again = format!("log in anew: {}", repository.login());
    let (cause, hint) = match error {
        Error::ConfigReadError => (
            format!("{file} is no JSON as Docker writes it"),
            format!("mend it, or move it away and {again}"),
        ),
        Error::HelperCommunicationError => (
            format!(
                "{file} names a credential helper that cannot be run, or ends before it is asked"
            ),
            "put docker-credential-NAME on PATH, or take it out of that file".to_owned(),
        ),
        Error::HelperFailure {
            helper,
            stdout,
            stderr,
        } => {
            let said = [stdout.trim(), stderr.trim()].join(" ");
            (format!("{helper} failed: {}", said.trim()), again)
        }
        Error::MalformedHelperResponse => (
            format!(
                "the credential helper that {file} names gave no JSON with Username and Secret"
            ),
            format!(
                "see what it says: echo {} | docker-credential-NAME get",
                repository.host
            ),
        ),
        other => (format!("{file}: {other}"), again),
    };
    because(what, cause, hint)
}
