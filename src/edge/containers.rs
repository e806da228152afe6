//! Replicas that are containers: made, started, watched and removed through the engine that the
//! edge itself runs on.
//!
//! A container belongs to the replica whose name it carries, and is started again rather than made
//! again, so that it keeps what it wrote. What this edge did not make is never touched.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, ContainerInspectResponse, ContainerState};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use futures_util::StreamExt;
use rustix::process::Signal;
use serde_json::Value;

pub(super) use self::making::Making;
use crate::docker::{Engine, Place};

/// Whose edge keeps it; the replica that it is; the replica that it stands beside.
pub(crate) const EDGE: &str = "agentctl.edge";
pub(crate) const REPLICA: &str = "agentctl.replica";
pub(crate) const BESIDE: &str = "agentctl.beside";
/// As `docker compose` counts a service's containers.
pub(crate) const NUMBER: &str = "com.docker.compose.container-number";

/// Where the folder of the engine's socket is in the edge's container, and that of secrets that it
/// shares. The folder, because an engine that starts again may make another socket.
pub(crate) const ENGINE: &str = "/engine";
pub(crate) const SECRETS: &str = "/run/secrets";

/// An engine that cannot be asked is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// All containers of one edge.
pub(super) struct Containers {
    engine: Engine,
    owner: String,
    secrets: PathBuf,
}

/// One replica's container, while it runs.
pub(super) struct Container {
    engine: Engine,
    id: String,
}

/// A container that was made for a replica, or to stand beside one.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) replica: String,
    pub(super) is_beside: bool,
    /// Where it is reached, while it runs.
    pub(super) ip: Option<String>,
}

impl Containers {
    /// `socket`: the engine's.
    pub(super) async fn of(owner: &str, socket: &Path) -> Result<Self> {
        Ok(Self {
            engine: Engine::connect(Place::Unix(socket.to_owned())).await?,
            owner: owner.to_owned(),
            secrets: SECRETS.into(),
        })
    }

    /// The replica's container, running, and where it is reached. Errors say in words why not.
    pub(super) async fn start(&self, making: &Making<'_>) -> Result<(Container, SocketAddr)> {
        self.write_secrets(making)?;
        let id = self.made(making).await?;
        if !making.container.sidecars.is_empty() {
            self.remove_beside(&making.replica).await?;
        }
        self.start_made(&id).await?;
        let address = self.address(&id, making.container.port).await?;
        for name in making.container.sidecars.keys() {
            let started = self.start_beside(making, name).await;
            started.with_context(|| format!("its sidecar {name}"))?;
        }
        Ok((self.container(id), address))
    }

    /// How containers in its network reach the edge.
    pub(super) fn edge(&self) -> String {
        format!("{}-edge", self.owner)
    }

    pub(super) fn container(&self, id: String) -> Container {
        let engine = self.engine.clone();
        Container { engine, id }
    }

    /// The container that it had before, or a new one where nobody would reach that.
    async fn made(&self, making: &Making<'_>) -> Result<String> {
        let name = making.name();
        let Some(there) = inspect(&self.engine, &name).await? else {
            return self.create(&name, making.body(&self.owner)?).await;
        };
        self.check_made(&name, &there)?;
        let is_reached = self.engine.is_on(making.network(), &there).await?;
        if let Some(id) = there.id.filter(|_| is_reached) {
            return Ok(id);
        }
        remove(&self.engine, &name).await?;
        self.create(&name, making.body(&self.owner)?).await
    }

    fn check_made(&self, name: &str, there: &ContainerInspectResponse) -> Result<()> {
        let labels = there.config.as_ref().and_then(|it| it.labels.as_ref());
        if labels.and_then(|labels| labels.get(EDGE)) != Some(&self.owner) {
            bail!("there is a container named {name} that agentctl did not make");
        }
        Ok(())
    }

    async fn start_made(&self, id: &str) -> Result<()> {
        let started = self.engine.docker.start_container(id, None).await;
        started.map_err(|error| self.engine.failure(error))
    }

    async fn create(&self, name: &str, body: Value) -> Result<String> {
        let body: ContainerCreateBody =
            serde_json::from_value(body).context("not the engine's words for a container")?;
        let named = CreateContainerOptionsBuilder::new().name(name).build();
        let made = self.engine.docker.create_container(Some(named), body).await;
        Ok(made.map_err(|error| self.engine.failure(error))?.id)
    }

    /// One that has ended already has no address any more.
    async fn address(&self, id: &str, port: u16) -> Result<SocketAddr> {
        let there = inspect(&self.engine, id).await?;
        let there = there.context("its container was removed")?;
        match ip(&there) {
            Some(ip) => Ok(SocketAddr::new(ip.parse().context("no address")?, port)),
            None if is_running(&there) => bail!("it was taken off its network"),
            None => Err(anyhow!(how_it_ended(there.state.as_ref()))),
        }
    }

    fn write_secrets(&self, making: &Making<'_>) -> Result<()> {
        for name in &making.container.secret_files {
            let value = making.fill.secret(name)?;
            replace(&self.secrets.join(name), value)
                .with_context(|| format!("could not write the secret {name}"))?;
        }
        Ok(())
    }

    /// Every container that was made for this edge's replicas.
    pub(super) async fn found(&self) -> Result<Vec<Found>> {
        let label = format!("{EDGE}={}", self.owner);
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let asked = ListContainersOptionsBuilder::new().all(true);
        let all = self
            .engine
            .docker
            .list_containers(Some(asked.filters(&filters).build()));
        let all = all.await.map_err(|error| self.engine.failure(error))?;
        Ok(all.into_iter().filter_map(found).collect())
    }

    /// The replica's container and those beside it; none is no harm.
    pub(super) async fn remove(&self, replica: &str) -> Result<()> {
        let all = self.found().await?;
        for one in all.into_iter().filter(|one| one.replica == replica) {
            remove(&self.engine, &one.id).await?;
        }
        Ok(())
    }

    /// Told to stop, then removed.
    pub(super) async fn end(&self, replica: &str, grace: Duration) -> Result<()> {
        let all = self.found().await?.into_iter();
        for one in all.filter(|one| one.replica == replica && one.ip.is_some()) {
            let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
            let options = StopContainerOptionsBuilder::new().t(seconds).build();
            let _ = self
                .engine
                .docker
                .stop_container(&one.id, Some(options))
                .await;
        }
        self.remove(replica).await
    }

    /// The container that an edge of this name served from before it was published elsewhere.
    pub(super) async fn remove_predecessor(&self) {
        // What is left is removed when another one is to be called so.
        let _ = remove(&self.engine, &predecessor(&self.owner)).await;
    }
}

impl Container {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// No harm when it is gone already.
    pub(super) fn signal(&self, signal: Signal) {
        let (docker, id) = (self.engine.docker.clone(), self.id.clone());
        let name = match signal {
            Signal::KILL => "SIGKILL",
            _ => "SIGTERM",
        };
        tokio::spawn(async move {
            let options = KillContainerOptionsBuilder::new().signal(name).build();
            docker.kill_container(&id, Some(options)).await
        });
    }

    /// Waits for its end, and tells how it ended.
    pub(super) async fn ended(&self) -> String {
        loop {
            let mut waiting = std::pin::pin!(self.engine.docker.wait_container(&self.id, None));
            let _ = waiting.next().await;
            match inspect(&self.engine, &self.id).await {
                Ok(None) => return "was removed by somebody else".to_owned(),
                Ok(Some(there)) if !is_running(&there) => {
                    return how_it_ended(there.state.as_ref());
                }
                // The engine went away under the question, or it was started again by hand.
                Ok(Some(_)) | Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

/// What an edge's container is called once another one takes its place.
pub(crate) fn predecessor(owner: &str) -> String {
    format!("{owner}-edge-before")
}

/// `None`: there is none.
async fn inspect(engine: &Engine, name: &str) -> Result<Option<ContainerInspectResponse>> {
    match engine.docker.inspect_container(name, None).await {
        Ok(there) => Ok(Some(there)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(engine.failure(error)),
    }
}

async fn remove(engine: &Engine, id: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
    match engine
        .docker
        .remove_container(id, Some(options.build()))
        .await
    {
        Err(error) if !is_missing(&error) && !is_going(&error) => Err(engine.failure(error)),
        _ => Ok(()),
    }
}

fn is_missing(error: &Error) -> bool {
    matches!(
        error,
        Error::DockerResponseServerError {
            status_code: 404,
            ..
        }
    )
}

/// Somebody else is removing it.
fn is_going(error: &Error) -> bool {
    matches!(
        error,
        Error::DockerResponseServerError {
            status_code: 409,
            ..
        }
    )
}

fn is_running(there: &ContainerInspectResponse) -> bool {
    let state = there.state.as_ref();
    state.and_then(|state| state.running).unwrap_or(false)
}

fn ip(there: &ContainerInspectResponse) -> Option<String> {
    let networks = there.network_settings.as_ref()?.networks.as_ref()?;
    let mut all = networks
        .values()
        .filter_map(|network| network.ip_address.clone());
    all.find(|ip| !ip.is_empty())
}

fn found(one: bollard::models::ContainerSummary) -> Option<Found> {
    let labels = one.labels.unwrap_or_default();
    let beside = labels.get(BESIDE).cloned();
    let networks = one.network_settings.and_then(|settings| settings.networks);
    let mut ips = networks.into_iter().flatten();
    let ip = ips.find_map(|(_, network)| network.ip_address.filter(|ip| !ip.is_empty()));
    Some(Found {
        id: one.id?,
        is_beside: beside.is_some(),
        replica: beside.or_else(|| labels.get(REPLICA).cloned())?,
        ip,
    })
}

fn how_it_ended(state: Option<&ContainerState>) -> String {
    let code = state.and_then(|state| state.exit_code).unwrap_or_default();
    let error = state.and_then(|state| state.error.clone());
    match (state.and_then(|state| state.oom_killed), error, code) {
        (Some(true), ..) => "used more memory than its limit, and was killed".to_owned(),
        (_, Some(error), _) if !error.is_empty() => error,
        (_, _, 129..=192) => format!("killed by signal {}", code - 128),
        _ => format!("exited with status {code}"),
    }
}

/// As a whole; whoever runs in a replica may read it.
fn replace(path: &Path, value: &str) -> std::io::Result<()> {
    match fs::read(path) {
        Ok(there) if there == value.as_bytes() => return Ok(()),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, value)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o444))?;
    fs::rename(fresh, path)
}

mod beside;
mod making;
#[cfg(test)]
mod tests;
