//! Containers on a Docker host, kept up and stood before by an edge that is a container itself.
//!
//! All goes through the engine's API, so a host over ssh or TLS is like one here. The edge has the
//! engine's socket, because containers are started again and stopped after their drain when
//! nobody steers any more; what it did not make it never touches. The journal, the edge's snapshot
//! and the secrets' values lie in a volume there.

mod attend;
mod beside;
mod edge;
mod fits;
mod foreign;
mod leaving;
mod logs;
mod names;
mod objects;
mod program;
mod recipe;
mod removal;
mod renew;
mod service;
#[cfg(test)]
mod tests;
mod wake;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

pub(crate) use attend::attend;
pub(crate) use names::Names;
pub(crate) use program::image as program_image;

use super::steered::{Stage, Steered};
use super::{Log, secrets};
use crate::advice::{advice, because};
use crate::docker::{Engine, Link};
use crate::edge::api;
use crate::edge::client::Edge;
use crate::image::{is_there, pull};
use crate::journal::{Ask, Unanswered};
use crate::release::{Artifact, Release, ReleaseId};

pub(crate) type Docker = Steered<Rc<Host>>;

/// Where the agent's files are in every container of this program.
const STATE: &str = "/state";
const CONFIG: &str = "/config";

/// A host that was reached and is not any more is tried again this long.
const PATIENCE: Duration = Duration::from_secs(120);
const AGAIN: Duration = Duration::from_secs(1);

/// A Docker host, as far as one agent in one environment is concerned.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    names: Names,
    /// The engine's socket over there.
    socket: PathBuf,
    /// What users call the host.
    reached_as: String,
    /// Where passwords of registries are.
    docker_config: Option<PathBuf>,
    /// The program that becomes the edge: this one.
    executable: PathBuf,
    /// To the edge's container while it runs, and into the volumes while it does not.
    link: Mutex<Option<Link>>,
    visit: Mutex<Option<Link>>,
    /// Outlives whoever waited for a link, who may have been called off.
    was_reached: Cell<bool>,
}

impl Host {
    /// `docker_config`: the folder of Docker's own settings here.
    pub(crate) fn new(
        engine: Engine,
        names: Names,
        executable: PathBuf,
        docker_config: Option<PathBuf>,
    ) -> Self {
        Self {
            socket: engine.socket().into(),
            reached_as: engine.host().unwrap_or("127.0.0.1").to_owned(),
            engine,
            names,
            executable,
            docker_config,
            link: Mutex::default(),
            visit: Mutex::default(),
            was_reached: Cell::default(),
        }
    }

    fn attend(&self) -> [&str; 3] {
        ["attend", "--name", &self.names.title]
    }

    /// `None`: nothing was ever deployed there.
    async fn link(&self) -> Result<Option<Link>> {
        if let Some(link) = self.edge_link().await? {
            *self.visit.lock().await = None;
            return Ok(Some(link));
        }
        let mut kept = self.visit.lock().await;
        if let Some(link) = kept.as_ref().filter(|link| link.is_open()) {
            return Ok(Some(link.clone()));
        }
        *kept = match self.has_volume().await? {
            true => Some(self.visitor().await?),
            false => None,
        };
        Ok(kept.clone())
    }

    /// `None`: the edge's container does not run. A host that was lost is tried again.
    async fn edge_link(&self) -> Result<Option<Link>> {
        let mut kept = self.link.lock().await;
        if let Some(link) = kept.as_ref().filter(|link| link.is_open()) {
            return Ok(Some(link.clone()));
        }
        *kept = None;
        let begun = Instant::now();
        let mut command = vec![program::PROGRAM];
        command.extend(self.attend());
        loop {
            match Link::into_running(&self.engine, &self.names.edge(), &command).await {
                Ok(link) => {
                    self.was_reached.set(true);
                    kept.clone_from(&link);
                    return Ok(link);
                }
                Err(_) if self.was_reached.get() && begun.elapsed() < PATIENCE => {
                    sleep(AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Something of the files there; the default if nothing was ever deployed.
    async fn read<T: DeserializeOwned + Default>(&self, what: &str) -> Result<T> {
        match self.link().await? {
            Some(link) => self.over(&link, "GET", what, Bytes::new()).await,
            None => Ok(T::default()),
        }
    }

    async fn write<T: DeserializeOwned>(&self, what: &str, content: &impl Serialize) -> Result<T> {
        let link = self.link_to_write().await?;
        let body = serde_json::to_vec(content)?;
        self.over(&link, "PUT", what, body.into()).await
    }

    async fn link_to_write(&self) -> Result<Link> {
        // Looked for first, because it is what waits for a host that was lost.
        if let Some(link) = self.link().await? {
            return Ok(link);
        }
        self.make_volumes().await?;
        self.link()
            .await?
            .context("the volumes were removed meanwhile")
    }

    async fn over<T: DeserializeOwned>(
        &self,
        link: &Link,
        method: &str,
        what: &str,
        body: Bytes,
    ) -> Result<T> {
        let answer = link.send(method, &format!("/host/{what}"), body).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        match status.is_success() {
            true => Ok(serde_json::from_slice(&bytes)?),
            false => Err(anyhow!("{}", serde_json::from_slice::<String>(&bytes)?)),
        }
    }

    /// The values that the last deploy left there.
    pub(crate) async fn kept_secrets(&self) -> Result<secrets::Values> {
        self.read("secrets")
            .await
            .context("could not read the secrets that are kept")
    }

    /// The answer is whether a value that was kept has changed.
    pub(crate) async fn keep_secrets(&self, values: &secrets::Values) -> Result<bool> {
        self.write("secrets", values)
            .await
            .context("could not keep the secrets")
    }

    /// Configurations of other releases go.
    pub(crate) async fn keep_only(&self, releases: &BTreeSet<ReleaseId>) -> Result<()> {
        self.write("kept", releases).await
    }

    /// Images of the release and of what stands beside its replicas.
    pub(crate) async fn fetch(&self, release: &Release) -> Result<()> {
        let Artifact::Image(image) = &release.contents.artifact else {
            return Ok(());
        };
        let tools = image.tools.values().map(|tool| &tool.image);
        let sidecars = image.sidecars.values().map(|sidecar| &sidecar.image);
        if !is_of_a_registry(&image.name) && !is_there(&self.engine, &image.name).await? {
            return Err(gone(release.id));
        }
        for name in std::iter::once(&image.name).chain(tools).chain(sidecars) {
            self.pulled(name).await?;
        }
        Ok(())
    }

    /// The engine has it, and its machine can run it.
    async fn pulled(&self, image: &str) -> Result<()> {
        pull(&self.engine, image, self.docker_config.as_deref()).await?;
        self.is_for_this_machine(image).await
    }

    async fn place(&self, release: &Release, prompts: &BTreeMap<String, String>) -> Result<()> {
        let config = serde_json::to_string_pretty(&release.contents.config)?;
        let prompts = prompts.iter();
        let mut texts: BTreeMap<String, String> = prompts
            .map(|(path, text)| (format!("prompts/{path}"), text.clone()))
            .collect();
        texts.insert("config.json".to_owned(), config);
        let what = format!("config/{}", release.id);
        self.write(&what, &texts).await
    }
}

/// An engine's own id means nothing to any registry.
fn is_of_a_registry(image: &str) -> bool {
    !image.starts_with("sha256:")
}

fn gone(release: ReleaseId) -> anyhow::Error {
    because(
        format!("could not start {release}"),
        "its image is not on this host any more, and no registry keeps it",
        "agentctl rollback --to names another release; agentctl deploy builds one from its sources",
    )
}

impl Stage for Rc<Host> {
    async fn edge(&self) -> Result<Option<Edge>> {
        match self.edge_link().await? {
            Some(link) => Ok(Some(Edge::behind(&self.names.edge(), link))),
            None => self.revived().await,
        }
    }

    async fn edge_for_orders(&self, fence: u64) -> Result<Edge> {
        if let Some(edge) = self.edge().await? {
            return Ok(edge);
        }
        let address: Option<SocketAddr> = self.read("address").await?;
        let edge = self.edge_at(address).await?;
        if let Some(address) = address.map(edge::inside) {
            edge.listen(&api::Listen { fence, address }).await?;
        }
        Ok(edge)
    }

    async fn edge_to_listen(
        &self,
        address: Option<SocketAddr>,
    ) -> Result<(Edge, Option<SocketAddr>)> {
        Ok((self.edge_at(address).await?, address.map(edge::inside)))
    }

    async fn listens(&self, address: SocketAddr) -> Result<()> {
        self.write("address", &json!(address)).await
    }

    /// The container would only be started again.
    async fn ended(&self) -> Result<bool> {
        // A host that is lost is waited for by whoever asks next.
        let left = self.replicas().await;
        match left.is_ok_and(|left| left.is_empty()) {
            true => self.remove_edge().await.map(|()| true),
            false => Ok(false),
        }
    }

    fn url(&self, listen: SocketAddr) -> String {
        format!("http://{}:{}", self.reached_as, listen.port())
    }

    /// As `docker cp` takes it.
    fn file(&self, path: &Path) -> String {
        format!("{}:{}", self.names.edge(), path.display())
    }

    async fn recipe(&self, release: &Release) -> Result<api::Recipe> {
        let Artifact::Image(image) = &release.contents.artifact else {
            return Err(advice(
                format!("{} is files of a machine, and no image", release.id),
                "agentctl rollback --to names another release",
            ));
        };
        self.place(release, &image.prompts).await?;
        recipe::recipe(release, image, &self.names)
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        self.logs_of(release, lines).await
    }
}

/// The journal's way to the host.
impl Ask for Rc<Host> {
    async fn ask(&self, call: Vec<u8>) -> Result<Vec<u8>> {
        asked(&self.link_to_write().await?, call).await
    }

    async fn look(&self, call: Vec<u8>) -> Result<Option<Vec<u8>>> {
        match self.link().await? {
            Some(link) => asked(&link, call).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn asked(link: &Link, call: Vec<u8>) -> Result<Vec<u8>> {
    let answered = async {
        let answer = link.send("POST", "/host/journal", call.into()).await?;
        anyhow::Ok(answer.into_body().collect().await?.to_bytes())
    };
    match answered.await {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(Unanswered.into()),
    }
}
