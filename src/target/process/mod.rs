//! Processes on this machine, kept up and stood before by `agentctl edge`, one per agent.

mod dir;
mod files;
mod logs;
mod look;
mod recipe;
pub(crate) mod secrets;
#[cfg(test)]
mod tests;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::sync::Mutex;

pub(crate) use dir::StateDir;
pub(crate) use files::Tree;

use super::{Log, Reply, Seen, Target, Traffic};
use crate::edge::api;
use crate::edge::client::{Edge, Lost, Watch};
use crate::release::{Release, ReleaseId};
use crate::spec::ProbeRequest;

/// One that dies each time has a reason that trying does not mend.
const TRIES: u32 = 3;

pub(crate) struct Process {
    agent: String,
    dir: StateDir,
    /// The program that becomes the edge: this one.
    executable: PathBuf,
    /// The lease's; orders of an earlier holder are refused by the edge.
    fence: u64,
    watch: Mutex<Option<Watch>>,
}

impl Process {
    pub(crate) fn new(agent: &str, dir: StateDir, executable: PathBuf, fence: u64) -> Self {
        Self {
            agent: agent.to_owned(),
            dir,
            executable,
            fence,
            watch: Mutex::new(None),
        }
    }

    /// The edge, started again if it was killed; `None` if there is nothing for it to do.
    async fn edge(&self) -> Result<Option<Edge>> {
        match Edge::connect(self.dir.path()).await? {
            Some(edge) => Ok(Some(edge)),
            None if self.dir.snapshot().exists() => self.started().await.map(Some),
            None => Ok(None),
        }
    }

    /// A new edge is reached where the last one was.
    async fn begun(&self) -> Result<Edge> {
        let edge = self.started().await?;
        if let Some(address) = self.dir.kept_address()? {
            let fence = self.fence;
            edge.listen(&api::Listen { fence, address }).await?;
        }
        Ok(edge)
    }

    async fn started(&self) -> Result<Edge> {
        Edge::start(self.dir.path(), &self.executable).await
    }

    async fn edge_for_orders(&self) -> Result<Edge> {
        match self.edge().await? {
            Some(edge) => Ok(edge),
            None => self.begun().await,
        }
    }

    async fn edge_to_listen(&self) -> Result<Edge> {
        match self.edge().await? {
            Some(edge) => Ok(edge),
            None => self.started().await,
        }
    }

    /// Opens the address that users reach the agent at.
    pub(crate) async fn listen(&self, address: SocketAddr) -> Result<()> {
        let order = api::Listen {
            fence: self.fence,
            address,
        };
        again_if_lost(async || self.edge_to_listen().await?.listen(&order).await).await?;
        self.dir.keep_address(address)
    }

    /// As Prometheus reads it; `None` if nothing runs.
    pub(crate) async fn metrics(&self) -> Result<Option<String>> {
        match self.edge().await? {
            Some(edge) => edge.metrics().await.map(Some),
            None => Ok(None),
        }
    }

    /// Ends everything that was started here and then the edge, and waits for that; `now` does not
    /// wait for open conversations and requests.
    pub(crate) async fn stop(&self, now: bool) -> Result<()> {
        let order = api::Stop {
            fence: self.fence,
            now,
        };
        let Some(edge) = self.edge().await? else {
            return Ok(());
        };
        let mut watch = edge.watch().await?;
        edge.stop(&order).await?;
        while watch.next().await?.is_some() {}
        Ok(())
    }

    fn write_config(&self, release: &Release) -> Result<()> {
        let path = self.dir.config(release.id);
        let json = serde_json::to_vec_pretty(&release.contents.config)?;
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            fs::write(&path, json)
        };
        write().with_context(|| format!("could not write {}", path.display()))
    }

    async fn next_state(&self) -> Result<Option<api::State>> {
        let mut watch = self.watch.lock().await;
        if watch.is_none() {
            *watch = again_if_lost(async || match self.edge().await? {
                Some(edge) => edge.watch().await.map(Some),
                None => Ok(None),
            })
            .await?;
        }
        let state = match watch.as_mut() {
            Some(watch) => watch.next().await,
            None => Ok(None),
        };
        if !matches!(state, Ok(Some(_))) {
            *watch = None;
        }
        state
    }
}

impl Target for Process {
    async fn observe(&self) -> Result<Seen> {
        // What was told before and not read yet is older than this look.
        *self.watch.lock().await = None;
        again_if_lost(async || match self.edge().await? {
            Some(edge) => Ok(look::seen(&edge.state().await?)),
            None => Ok(Seen::default()),
        })
        .await
    }

    async fn next(&self) -> Result<Seen> {
        match self.next_state().await? {
            Some(state) => Ok(look::seen(&state)),
            None => self.observe().await,
        }
    }

    async fn scale(&self, release: &Release, replicas: u32) -> Result<()> {
        self.write_config(release)?;
        let order = api::ScalePool {
            fence: self.fence,
            replicas,
            recipe: recipe::recipe(release, &self.agent, &self.dir)?,
        };
        let pool = release.id.to_string();
        again_if_lost(async || self.edge_for_orders().await?.scale(&pool, &order).await).await?;
        Ok(())
    }

    async fn route(&self, traffic: &Traffic) -> Result<()> {
        let shares = traffic.shares.iter();
        let order = api::Traffic {
            fence: self.fence,
            shares: shares
                .map(|(release, share)| (release.to_string(), share.hundredths()))
                .collect(),
            keys: traffic.keys.iter().map(recipe::key).collect(),
            sticky: traffic.sticky,
        };
        again_if_lost(async || self.edge_for_orders().await?.traffic(&order).await).await?;
        Ok(())
    }

    async fn request(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
    ) -> Result<Reply> {
        let (pool, order) = (release.to_string(), asked(request, within));
        let ask = async || self.edge_for_orders().await?.request(&pool, &order).await;
        let reply = again_if_lost(ask).await?;
        Ok(Reply {
            replica: reply.replica,
            status: reply.status,
            body: reply.body,
            millis: reply.millis,
            says: reply.says,
        })
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        logs::last(&self.dir, release, lines)
    }
}

/// An edge that dies under an order is started again by the next; all that it is told is safe to
/// repeat.
async fn again_if_lost<T>(tell: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut more = 1..TRIES;
    loop {
        match tell().await {
            Err(error) if error.is::<Lost>() && more.next().is_some() => {}
            answer => return answer,
        }
    }
}

fn asked(request: &ProbeRequest, within: u64) -> api::Request {
    let mut headers = request.headers.clone();
    if request.json.is_some() {
        headers
            .entry("content-type".to_owned())
            .or_insert_with(|| "application/json".to_owned());
    }
    api::Request {
        method: request.method.clone(),
        path: request.path.clone(),
        headers,
        body: request
            .json
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        within,
    }
}
