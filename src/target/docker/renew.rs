//! Another edge in the place of the one that runs: of a newer program in the same container, because
//! that one has the published port; or in a new container, because the port is another one.
//!
//! Both give the new edge the old one's place while it serves, as [`crate::edge`] does anywhere.

use std::net::SocketAddr;

use anyhow::Result;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::{
    ContainerInspectResponse, ContainerUpdateBody, ExecConfig, RestartPolicy, RestartPolicyNameEnum,
};
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::edge::{RETRY, START_WITHIN, published};
use super::{Host, program};
use crate::advice::because;
use crate::edge::api::State;
use crate::edge::client::Edge;
use crate::edge::containers::predecessor;
use crate::edge::program::{VARIABLE, name_of};

impl Host {
    /// The edge that runs, of this program if its own is not newer.
    pub(super) async fn renewed(&self, there: &ContainerInspectResponse) -> Result<Edge> {
        let edge = self.answering().await?;
        let ours = name_of(&self.executable)?;
        if !edge.state().await?.is_to_give_way(&ours) {
            return Ok(edge);
        }
        let container = self.names.edge();
        let image = there
            .config
            .as_ref()
            .and_then(|config| config.image.clone());
        let image = image.unwrap_or_default();
        let mut command =
            program::beside(&self.engine, &container, &image, &self.executable).await?;
        command.extend(self.edge_words());
        let said = self.run_beside(&container, command, &ours);
        tokio::select! {
            said = said => Err(self.not_renewed(said?)),
            renewed = self.until(&edge, |state| state.program.as_ref() == Some(&ours)) => {
                renewed?;
                program::forget_others(&self.engine, &image).await;
                Ok(edge)
            }
        }
    }

    /// Ends only if the program does; the answer is what it said.
    async fn run_beside(
        &self,
        container: &str,
        command: Vec<String>,
        name: &str,
    ) -> Result<String> {
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(vec![format!("{VARIABLE}={name}")]),
            cmd: Some(command),
            ..ExecConfig::default()
        };
        let docker = &self.engine.docker;
        let exec = docker.create_exec(container, config).await;
        let exec = exec.map_err(|error| self.engine.failure(error))?;
        let started = docker.start_exec(&exec.id, None).await;
        let mut said = String::new();
        if let StartExecResults::Attached { mut output, .. } =
            started.map_err(|error| self.engine.failure(error))?
        {
            while let Some(Ok(line)) = output.next().await {
                said.push_str(&String::from_utf8_lossy(&LogOutput::into_bytes(line)));
            }
        }
        Ok(said)
    }

    fn not_renewed(&self, said: String) -> anyhow::Error {
        let title = &self.names.title;
        because(
            format!("the edge of {title} could not be replaced by this version's, and goes on"),
            said.trim().to_owned(),
            "agentctl stop, then deploy, replaces it with a pause",
        )
    }

    async fn until(&self, edge: &Edge, is_it: impl Fn(&State) -> bool) -> Result<()> {
        let took_over = async {
            while !edge.state().await.is_ok_and(|state| is_it(&state)) {
                sleep(RETRY).await;
            }
        };
        match timeout(START_WITHIN, took_over).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.silent().await),
        }
    }

    /// In a container that is published there; the one before it goes when its last reply has ended.
    pub(super) async fn moved(
        &self,
        there: &ContainerInspectResponse,
        address: Option<SocketAddr>,
    ) -> Result<Edge> {
        let [old, new] = [published(there), address].map(|address| address.map(|it| it.port()));
        if old.is_some() && old == new {
            return self.moved_with_a_pause(address).await;
        }
        self.start(&self.names.edge()).await?;
        let before = self.answering().await?.state().await?.started;
        self.make_way().await?;
        self.made_or_taken_back(address).await?;
        let edge = self.answering().await?;
        self.until(&edge, |state| state.started != before).await?;
        Ok(edge)
    }

    /// A port is had once, whatever the address.
    async fn moved_with_a_pause(&self, address: Option<SocketAddr>) -> Result<Edge> {
        self.kill(&self.names.edge()).await?;
        self.make_way().await?;
        self.made_or_taken_back(address).await?;
        let edge = self.answering().await?;
        self.remove(&predecessor(&self.names.project)).await?;
        Ok(edge)
    }

    /// Whoever made way serves again where another edge cannot be made.
    async fn made_or_taken_back(&self, address: Option<SocketAddr>) -> Result<()> {
        let made = self.make_edge(address).await;
        if made.is_err() {
            self.revived().await?;
        }
        made
    }

    async fn make_way(&self) -> Result<()> {
        let before = predecessor(&self.names.project);
        self.remove(&before).await?;
        *self.link.lock().await = None;
        self.restarts(&self.names.edge(), RestartPolicyNameEnum::NO)
            .await?;
        self.rename(&self.names.edge(), &before).await
    }

    /// True if there was one: whoever made way was left alone.
    pub(super) async fn take_back_edge(&self) -> Result<bool> {
        let before = predecessor(&self.names.project);
        if self.inspected(&before).await?.is_none() {
            return Ok(false);
        }
        *self.link.lock().await = None;
        self.rename(&before, &self.names.edge()).await?;
        let always = RestartPolicyNameEnum::UNLESS_STOPPED;
        self.restarts(&self.names.edge(), always).await?;
        Ok(true)
    }

    async fn restarts(&self, container: &str, policy: RestartPolicyNameEnum) -> Result<()> {
        let update = ContainerUpdateBody {
            restart_policy: Some(RestartPolicy {
                name: Some(policy),
                maximum_retry_count: None,
            }),
            ..ContainerUpdateBody::default()
        };
        let updated = self.engine.docker.update_container(container, update).await;
        updated.map_err(|error| self.engine.failure(error))
    }
}
