//! What stands beside the agent and does not run, started: just made, or ended before.

use anyhow::{Context, Result};
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, MountType};

use super::Host;
use super::names::DEFINITION;
use super::objects::Disk;

impl Host {
    /// Everything beside the agent that was ended with it.
    pub(super) async fn wake_beside(&self) -> Result<()> {
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
        self.start(container).await
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
