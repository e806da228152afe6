//! What the engine keeps: containers, the network, volumes. Each call is safe to repeat.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerSummary, HostConfig, Mount, MountType,
    NetworkCreateRequest, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, KillContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use bytes::Bytes;

use super::{Host, program};
use crate::advice::because;
use crate::edge::containers::EDGE;
use crate::release::Identity;

/// Where a volume is seen while it is given to its owner.
const DISKS: &str = "/disks";

/// A volume, and the user that it belongs to.
pub(super) struct Disk {
    pub(super) volume: String,
    pub(super) user: u32,
}

impl Host {
    pub(super) async fn inspected(&self, name: &str) -> Result<Option<ContainerInspectResponse>> {
        match self.engine.docker.inspect_container(name, None).await {
            Ok(there) => Ok(Some(there)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.engine.failure(error)),
        }
    }

    /// All with these labels, those that do not run too.
    pub(super) async fn containers(&self, labels: Vec<String>) -> Result<Vec<ContainerSummary>> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let asked = ListContainersOptionsBuilder::new().all(true);
        let asked = asked.filters(&filters).build();
        let all = self.engine.docker.list_containers(Some(asked)).await;
        all.map_err(|error| self.engine.failure(error))
    }

    /// And what stands beside them.
    pub(super) async fn replicas(&self) -> Result<Vec<ContainerSummary>> {
        let own = format!("{EDGE}={}", self.names.project);
        self.containers(vec![own]).await
    }

    pub(super) async fn create(&self, name: &str, body: ContainerCreateBody) -> Result<()> {
        let named = CreateContainerOptionsBuilder::new().name(name).build();
        let made = self.engine.docker.create_container(Some(named), body).await;
        made.map(drop).map_err(|error| self.engine.failure(error))
    }

    pub(super) async fn start(&self, name: &str) -> Result<()> {
        match self.engine.docker.start_container(name, None).await {
            Err(error) if !is_so_already(&error) => Err(self.engine.failure(error)),
            _ => Ok(()),
        }
    }

    /// At once; it stays as it is.
    pub(super) async fn kill(&self, name: &str) -> Result<()> {
        let none = None::<KillContainerOptions>;
        match self.engine.docker.kill_container(name, none).await {
            Err(error) if !is_missing(&error) && !is_in_the_way(&error) => {
                Err(self.engine.failure(error))
            }
            _ => Ok(()),
        }
    }

    /// At once; its volumes with names stay.
    pub(super) async fn remove(&self, name: &str) -> Result<()> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true);
        let docker = &self.engine.docker;
        match docker.remove_container(name, Some(options.build())).await {
            Err(error) if !is_missing(&error) && !is_in_the_way(&error) => {
                Err(self.engine.failure(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn make_network(&self) -> Result<()> {
        let name = &self.names.project;
        if self.engine.network(name).await?.is_some() {
            return Ok(());
        }
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            labels: Some(self.names.labels("network")),
            ..NetworkCreateRequest::default()
        };
        let made = self.engine.docker.create_network(request).await;
        made.map(drop)
            .map_err(|error| no_network(name, self.engine.failure(error)))
    }

    pub(super) async fn make_volume(
        &self,
        name: &str,
        options: HashMap<String, String>,
    ) -> Result<()> {
        let request = VolumeCreateRequest {
            name: Some(name.to_owned()),
            labels: Some(self.names.labels("volume")),
            driver_opts: Some(options),
            ..VolumeCreateRequest::default()
        };
        let made = self.engine.docker.create_volume(request).await;
        made.map(drop).map_err(|error| self.engine.failure(error))
    }

    /// A volume's folder belongs to its user alone. Nothing is started for that: the engine writes
    /// owners as a tar says them, also into a container that never runs.
    pub(super) async fn give(&self, disk: &Disk) -> Result<()> {
        let name = format!("{}-owner", disk.volume);
        self.remove(&name).await?;
        let mount = Mount {
            typ: Some(MountType::VOLUME),
            source: Some(disk.volume.clone()),
            target: Some(format!("{DISKS}/disk")),
            ..Mount::default()
        };
        let image = program::image(&self.engine, &self.executable).await?;
        let made_of = Identity::of(image.as_bytes());
        let body = ContainerCreateBody {
            image: Some(image),
            labels: Some(self.names.of_container("owner", &made_of)),
            host_config: Some(HostConfig {
                mounts: Some(vec![mount]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        self.create(&name, body).await?;
        let options = UploadToContainerOptionsBuilder::new().path(DISKS).build();
        let tar = bollard::body_full(Bytes::from(folder_of(disk.user)?));
        let docker = &self.engine.docker;
        let given = docker.upload_to_container(&name, Some(options), tar).await;
        self.remove(&name).await?;
        given.map_err(|error| self.engine.failure(error))
    }
}

fn folder_of(user: u32) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o700);
    header.set_uid(user.into());
    header.set_gid(user.into());
    header.set_size(0);
    tar.append_data(&mut header, "disk/", std::io::empty())?;
    let mut bytes = tar.into_inner()?;
    bytes.flush()?;
    Ok(bytes)
}

fn no_network(name: &str, error: anyhow::Error) -> anyhow::Error {
    let text = format!("{error:#}");
    match text.contains("non-overlapping") || text.contains("fully subnetted") {
        true => because(
            format!("could not make the network {name}"),
            text,
            "every address pool of the engine is in use: docker network prune removes networks \
             that nobody uses; default-address-pools in its daemon.json gives it more",
        ),
        false => error,
    }
}

pub(super) fn is_missing(error: &Error) -> bool {
    status(error) == Some(404)
}

/// It runs, or it has ended, as it was told to.
pub(super) fn is_so_already(error: &Error) -> bool {
    status(error) == Some(304)
}

/// Somebody else removes it, or still uses it.
pub(super) fn is_in_the_way(error: &Error) -> bool {
    status(error) == Some(409)
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::Advice;

    #[test]
    fn an_engine_without_addresses_is_told_from_other_trouble() {
        let said = "could not find an available, non-overlapping IPv4 address pool among the \
                    defaults to assign to the network";
        let error = no_network("bot", anyhow::anyhow!(said));
        assert_eq!(error.to_string(), "could not make the network bot");
        assert_eq!(error.root_cause().to_string(), said);
        assert!(error.downcast_ref::<Advice>().is_some());
        let other = no_network("bot", anyhow::anyhow!("no such driver"));
        assert_eq!(other.to_string(), "no such driver");
    }
}
