//! What stands beside the agent and does not run, started: just made, or ended before.

use anyhow::{Context, Result};
use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, EndpointSettings, MountType,
    NetworkConnectRequest, NetworkDisconnectRequest,
};

use super::Host;
use super::names::{DEFINITION, SERVICE};
use super::objects::Disk;

impl Host {
    /// Everything beside the agent that was ended, or ended with its engine.
    pub(crate) async fn wake_beside(&self) -> Result<()> {
        self.put_back().await?;
        for (_, id) in self.all_beside().await? {
            self.wake(&id).await?;
        }
        Ok(())
    }

    /// The engine fills a new volume from the image when it makes a container, and gives it that
    /// owner; whoever had it made may have been killed before the volume was its user's.
    pub(super) async fn wake(&self, container: &str) -> Result<()> {
        let there = self.inspected(container).await?;
        let there = there.context("its container was removed meanwhile")?;
        if has_never_run(&there)
            && let Some(disk) = disk(&there)
        {
            self.give(&disk).await?;
        }
        self.make_network().await?;
        if !self.is_on_network(&there).await? {
            self.attach(container, &there).await?;
        }
        self.start(container).await
    }

    pub(super) async fn is_on_network(&self, there: &ContainerInspectResponse) -> Result<bool> {
        self.engine.is_on(&self.names.project, there).await
    }

    /// On the network as it is today. While it runs, the engine knows of no way from one that is
    /// gone.
    async fn attach(&self, container: &str, there: &ContainerInspectResponse) -> Result<()> {
        self.end(container).await?;
        let (docker, network) = (&self.engine.docker, &self.names.project);
        let from = NetworkDisconnectRequest {
            container: container.to_owned(),
            force: Some(true),
        };
        // It may be on none.
        let _ = docker.disconnect_network(network, from).await;
        let to = NetworkConnectRequest {
            container: container.to_owned(),
            endpoint_config: Some(EndpointSettings {
                aliases: label(there, SERVICE).map(|alias| vec![alias.clone()]),
                ..EndpointSettings::default()
            }),
        };
        let connected = docker.connect_network(network, to).await;
        connected.map_err(|error| self.engine.failure(error))
    }
}

pub(super) fn label<'a>(there: &'a ContainerInspectResponse, name: &str) -> Option<&'a String> {
    there.config.as_ref()?.labels.as_ref()?.get(name)
}

fn has_never_run(there: &ContainerInspectResponse) -> bool {
    let status = there.state.as_ref().and_then(|state| state.status);
    status == Some(ContainerStateStatusEnum::CREATED)
}

/// Only a service has one.
fn disk(there: &ContainerInspectResponse) -> Option<Disk> {
    label(there, DEFINITION)?;
    let mounts = there.host_config.as_ref()?.mounts.as_ref()?;
    let mount = mounts
        .iter()
        .find(|mount| mount.typ == Some(MountType::VOLUME))?;
    Some(Disk {
        volume: mount.source.clone()?,
        user: there.config.as_ref()?.user.as_ref()?.parse().ok()?,
    })
}
