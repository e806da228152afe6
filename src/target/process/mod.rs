//! Processes on this machine, kept up and stood before by `agentctl edge`, one per agent.

mod dir;
mod files;
mod logs;
mod recipe;
pub(crate) mod secrets;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

pub(crate) use dir::StateDir;
pub(crate) use files::Tree;

use super::Log;
use super::steered::{Stage, Steered};
use crate::advice::advice;
use crate::edge::api;
use crate::edge::client::Edge;
use crate::release::{Artifact, Release, ReleaseId};

/// How long an edge may take to end.
const TRIES: u32 = 100;
const AGAIN: Duration = Duration::from_millis(20);

pub(crate) type Process = Steered<Machine>;

/// This machine, as far as one agent in one environment is concerned.
pub(crate) struct Machine {
    agent: String,
    dir: StateDir,
    /// The program that becomes the edge: this one.
    executable: PathBuf,
}

impl Machine {
    pub(crate) fn new(agent: &str, dir: StateDir, executable: PathBuf) -> Self {
        Self {
            agent: agent.to_owned(),
            dir,
            executable,
        }
    }

    pub(in crate::target) async fn kept_secrets(&self) -> Result<secrets::Values> {
        secrets::kept(&self.dir)
    }

    pub(in crate::target) async fn keep_secrets(&self, values: &secrets::Values) -> Result<bool> {
        secrets::keep(&self.dir, values.clone())
    }

    pub(in crate::target) fn keep_only(&self, releases: &[&Release]) -> Result<()> {
        let artifacts = releases.iter();
        let artifacts: Vec<&Artifact> = artifacts
            .map(|release| &release.contents.artifact)
            .collect();
        self.dir.keep_only(&artifacts)
    }

    pub(in crate::target) fn is_there(&self) -> bool {
        self.dir.path().is_dir()
    }

    /// An edge that has stopped its last replica leaves a last file behind.
    pub(in crate::target) async fn remove_everything(&self) -> Result<()> {
        let path = self.dir.path();
        let mut more = 1..TRIES;
        loop {
            match fs::remove_dir_all(path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error)
                    if error.kind() == ErrorKind::DirectoryNotEmpty && more.next().is_some() =>
                {
                    sleep(AGAIN).await;
                }
                done => {
                    return done.with_context(|| format!("could not remove {}", path.display()));
                }
            }
        }
    }

    async fn started(&self) -> Result<Edge> {
        Edge::start(self.dir.path(), &self.executable).await
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
}

impl Stage for Machine {
    async fn edge(&self) -> Result<Option<Edge>> {
        match Edge::connect(self.dir.path()).await? {
            Some(edge) => Ok(Some(edge)),
            None if self.dir.snapshot().exists() => self.started().await.map(Some),
            None => Ok(None),
        }
    }

    async fn edge_for_orders(&self, fence: u64) -> Result<Edge> {
        if let Some(edge) = self.edge().await? {
            return Ok(edge);
        }
        let edge = self.started().await?;
        if let Some(address) = self.dir.kept_address()? {
            edge.listen(&api::Listen { fence, address }).await?;
        }
        Ok(edge)
    }

    async fn edge_to_listen(
        &self,
        address: Option<SocketAddr>,
    ) -> Result<(Edge, Option<SocketAddr>)> {
        let edge = match self.edge().await? {
            Some(edge) => edge.renew(self.dir.path(), &self.executable).await?,
            None => self.started().await?,
        };
        Ok((edge, address))
    }

    /// Kept for a rollback after a stop.
    async fn listens(&self, address: SocketAddr) -> Result<()> {
        self.dir.keep_address(address)
    }

    async fn ended(&self) -> Result<bool> {
        Ok(true)
    }

    fn url(&self, listen: SocketAddr) -> String {
        format!("http://{listen}")
    }

    fn file(&self, path: &Path) -> String {
        path.display().to_string()
    }

    async fn recipe(&self, release: &Release) -> Result<api::Recipe> {
        let Artifact::Files(files) = &release.contents.artifact else {
            return Err(advice(
                format!(
                    "{} is an image, and no files that a process runs from",
                    release.id
                ),
                "agentctl rollback --to names another release",
            ));
        };
        self.write_config(release)?;
        recipe::recipe(release, files, &self.agent, &self.dir)
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        logs::last(&self.dir, release, lines)
    }
}
