//! Sidecars: containers that share a replica's network, and live as long as it does.

use anyhow::{Context, Result};
use serde_json::json;

use super::{BESIDE, Container, Containers, EDGE, Making, NUMBER, inspect, remove};
use crate::edge::api;

impl Containers {
    /// A replica's sidecar.
    pub(in crate::edge) fn beside(
        &self,
        container: &api::Container,
        replica: &str,
        name: &str,
    ) -> Container {
        self.container(called(container, replica, name))
    }

    /// Starts the one that was there before, with what it wrote, or a new one.
    pub(in crate::edge) async fn start_beside(
        &self,
        making: &Making<'_>,
        name: &str,
    ) -> Result<()> {
        let id = self.made_beside(making, name).await?;
        self.start_made(&id).await
    }

    async fn made_beside(&self, making: &Making<'_>, name: &str) -> Result<String> {
        let called = called(making.container, &making.replica, name);
        let Some(there) = inspect(&self.engine, &called).await? else {
            return self.create_beside(making, name).await;
        };
        self.check_made(&called, &there)?;
        Ok(called)
    }

    async fn create_beside(&self, making: &Making<'_>, name: &str) -> Result<String> {
        let sidecar = making.container.sidecars.get(name);
        let sidecar = sidecar.context("it is in no recipe")?;
        let mut body = sidecar.create.clone();
        body["Env"] = json!(making.variables(&sidecar.env)?);
        body["HostConfig"]["NetworkMode"] = json!(format!("container:{}", making.name()));
        body["Labels"][EDGE] = json!(self.owner);
        body["Labels"][BESIDE] = json!(making.replica);
        body["Labels"][NUMBER] = json!(making.number.to_string());
        self.create(&called(making.container, &making.replica, name), body)
            .await
    }

    /// Those of an earlier run share a network that is gone.
    pub(super) async fn remove_beside(&self, replica: &str) -> Result<()> {
        let all = self.found().await?.into_iter();
        for one in all.filter(|one| one.is_beside && one.replica == replica) {
            remove(&self.engine, &one.id).await?;
        }
        Ok(())
    }
}

fn called(container: &api::Container, replica: &str, name: &str) -> String {
    format!("{}-{replica}-{name}", container.prefix)
}
