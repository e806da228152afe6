//! The end of everything that agentctl made for an agent on a host; images stay.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use bollard::query_parameters::{
    ListNetworksOptionsBuilder, ListVolumesOptionsBuilder, RemoveVolumeOptions,
};
use tokio::time::sleep;

use super::Host;
use super::objects::{is_in_the_way, is_missing};
use crate::advice::because;

/// A container that ends by itself may hold a volume for a moment longer.
const TRIES: u32 = 50;
const AGAIN: Duration = Duration::from_millis(100);

/// What there is, by name.
struct Own {
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
}

impl Host {
    pub(crate) async fn is_there(&self) -> Result<bool> {
        let own = self.everything().await?;
        let lists = [own.containers, own.networks, own.volumes];
        Ok(lists.iter().any(|list| !list.is_empty()))
    }

    pub(crate) async fn remove_everything(&self) -> Result<()> {
        // What the edge misses it would start again.
        self.remove_edge().await?;
        *self.visit.lock().await = None;
        let own = self.everything().await?;
        for container in &own.containers {
            self.remove(container).await?;
        }
        for network in &own.networks {
            match self.engine.docker.remove_network(network).await {
                Err(error) if !is_missing(&error) => return Err(self.engine.failure(error)),
                _ => {}
            }
        }
        for volume in &own.volumes {
            self.remove_volume(volume).await?;
        }
        Ok(())
    }

    /// Containers of somebody else on the agent's network: it could not be removed under them.
    pub(crate) async fn has_no_guests(&self) -> Result<()> {
        let network = &self.names.project;
        let there = match self.engine.docker.inspect_network(network, None).await {
            Err(error) if is_missing(&error) => return Ok(()),
            there => there.map_err(|error| self.engine.failure(error))?,
        };
        let own = self.everything().await?.containers;
        let guests = there.containers.unwrap_or_default().into_iter();
        let guests = guests.filter(|(id, _)| !own.contains(id));
        let mut guests: Vec<String> = guests.map(|(id, one)| one.name.unwrap_or(id)).collect();
        guests.sort();
        match guests.first() {
            None => Ok(()),
            Some(first) => Err(because(
                format!("could not remove the network {network}"),
                format!(
                    "on it are containers that agentctl did not make: {}",
                    guests.join(", ")
                ),
                format!("docker network disconnect {network} {first}, then again"),
            )),
        }
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let mut more = 1..TRIES;
        loop {
            let none = None::<RemoveVolumeOptions>;
            match self.engine.docker.remove_volume(name, none).await {
                Err(error) if is_in_the_way(&error) && more.next().is_some() => {
                    sleep(AGAIN).await;
                }
                Err(error) if !is_missing(&error) => return Err(self.engine.failure(error)),
                _ => return Ok(()),
            }
        }
    }

    async fn everything(&self) -> Result<Own> {
        let containers = self.containers(self.names.own()).await?;
        let filters = HashMap::from([("label".to_owned(), self.names.own())]);
        let docker = &self.engine.docker;
        let asked = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let networks = docker.list_networks(Some(asked)).await;
        let networks = networks.map_err(|error| self.engine.failure(error))?;
        let asked = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let volumes = docker.list_volumes(Some(asked)).await;
        let volumes = volumes.map_err(|error| self.engine.failure(error))?;
        Ok(Own {
            containers: containers.into_iter().filter_map(|one| one.id).collect(),
            networks: networks.into_iter().filter_map(|one| one.name).collect(),
            volumes: volumes
                .volumes
                .into_iter()
                .flatten()
                .map(|one| one.name)
                .collect(),
        })
    }
}
