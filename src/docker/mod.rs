//! The Docker engine: where it is, the way to it, and what it can do.
//!
//! All requests, bollard's too, go through one transport, so that a socket, TCP, TLS and SSH are
//! the same to everything above.

mod dial;
mod failure;
mod lines;
mod link;
mod network;
mod place;
#[cfg(test)]
mod tests;
mod transport;

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result};
use bollard::{ClientVersion, Docker};
use hyper::Request;
use hyper::header::HeaderMap;
use tokio::time::sleep;

pub(crate) use lines::{Line, Lines, Moved};
pub(crate) use link::Link;
pub(crate) use place::{Place, settings};
#[cfg(test)]
pub(crate) use transport::full;
pub(crate) use transport::{Body, Upgraded, empty, streamed};

use self::transport::Transport;
use crate::advice::advice;

/// Docker 20.10 was the first to speak it.
const OLDEST: (usize, usize) = (1, 41);
/// What this binary was written against.
const NEWEST: (usize, usize) = (1, 53);

/// A longer silence is no response.
const PATIENCE: Duration = Duration::from_secs(120);
/// While it works it is asked so often whether it is still there.
const LOOKS_EVERY: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub(crate) struct Engine {
    transport: Transport,
    /// For everything but builds: bollard's client over the same transport.
    pub(crate) docker: Docker,
    api: (usize, usize),
    pub(crate) has_buildkit: bool,
}

impl Engine {
    /// Asks the engine what it can do; an error says where it was looked for.
    pub(crate) async fn connect(place: Place) -> Result<Self> {
        let transport = Transport::new(place);
        let answer = transport.ping().await?;
        let api = common(api(answer.headers())?, transport.place())?;
        let version = ClientVersion {
            major_version: api.0,
            minor_version: api.1,
        };
        let docker = transport.bollard(PATIENCE.as_secs(), &version)?;
        Ok(Self {
            has_buildkit: has_buildkit(answer.headers()),
            transport,
            docker,
            api,
        })
    }

    /// A request that bollard has no name for; `path` begins with `/` and names no version.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
    ) -> Result<hyper::Response<hyper::body::Incoming>> {
        self.transport.request(self.versioned(request)?).await
    }

    /// The connection itself, once the engine agreed to speak something else on it.
    pub(crate) async fn upgrade(&self, request: Request<Body>) -> Result<Upgraded> {
        self.transport.upgrade(self.versioned(request)?).await
    }

    /// The work's own end, or an error once the engine has fallen silent. A step may have nothing to
    /// say for hours; an engine that lives answers a ping all the same.
    pub(crate) async fn attended<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            silent = self.falls_silent() => Err(silent),
        }
    }

    async fn falls_silent(&self) -> anyhow::Error {
        loop {
            sleep(LOOKS_EVERY).await;
            if let Some(silent) = self.transport.silence().await {
                return silent;
            }
        }
    }

    fn versioned(&self, mut request: Request<Body>) -> Result<Request<Body>> {
        let path = format!("/v{}.{}{}", self.api.0, self.api.1, request.uri());
        *request.uri_mut() = path.parse().context("no path")?;
        Ok(request)
    }

    /// What it builds for and runs where nobody names another, like `linux/amd64`.
    pub(crate) async fn platform(&self) -> Result<String> {
        let version = self.docker.version().await;
        let version = version.map_err(|error| self.failure(error))?;
        let parts = version.os.zip(version.arch);
        let (os, machine) = parts.context("the engine does not say what machine it is on")?;
        Ok(format!("{os}/{machine}"))
    }

    /// The engine's own socket on its machine.
    pub(crate) fn socket(&self) -> &str {
        self.transport.place().socket()
    }

    /// The name of its machine; `None`: this one.
    pub(crate) fn host(&self) -> Option<&str> {
        self.transport.place().host()
    }

    /// What bollard says went wrong, with what to do about it.
    pub(crate) fn failure(&self, error: bollard::errors::Error) -> anyhow::Error {
        failure::of_call(error, self.transport.place(), &self.transport.said())
    }
}

fn api(headers: &HeaderMap) -> Result<(usize, usize)> {
    let header = headers.get("api-version").and_then(|api| api.to_str().ok());
    let numbers = header.and_then(|api| {
        let (major, minor) = api.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    numbers.context("what answered there is no Docker engine: it names no API version")
}

/// The newest version that both speak.
fn common(theirs: (usize, usize), place: &Place) -> Result<(usize, usize)> {
    match theirs < OLDEST {
        true => Err(advice(
            format!(
                "the engine at {place} speaks API {}.{}, and agentctl needs {}.{}",
                theirs.0, theirs.1, OLDEST.0, OLDEST.1
            ),
            "update it: Docker 20.10 or newer",
        )),
        false => Ok(theirs.min(NEWEST)),
    }
}

/// Every Docker that is new enough has it; engines that are like Docker say who they are.
fn has_buildkit(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_docker = text("server").is_some_and(|server| server.starts_with("Docker/"));
    is_docker && text("ostype") == Some("linux")
}
