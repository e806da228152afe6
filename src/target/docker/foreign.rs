//! What has a name that agentctl needs and was not made by it: refused before anything is changed.

use std::collections::HashMap;

use anyhow::Result;
use bollard::models::ContainerSummary;

use super::Host;
use super::names::{AGENT, PROJECT};
use super::objects::is_missing;
use crate::advice::because;
use crate::render::beside;
use crate::spec::Spec;

type Labels = HashMap<String, String>;

impl Host {
    pub(super) async fn nothing_is_foreign(&self, spec: &Spec) -> Result<()> {
        self.no_foreign_stack().await?;
        self.no_foreign_container(spec).await?;
        self.no_foreign_replica().await?;
        self.no_foreign_network().await?;
        self.no_foreign_volume(spec).await
    }

    /// One that docker-compose started under the same name.
    async fn no_foreign_stack(&self) -> Result<()> {
        let project = &self.names.project;
        let all = self
            .containers(vec![format!("{PROJECT}={project}")])
            .await?;
        let foreign = all
            .iter()
            .filter(|one| !self.is_own(one.labels.as_ref()))
            .map(name);
        let foreign: Vec<String> = foreign.collect();
        match foreign.is_empty() {
            true => Ok(()),
            false => Err(because(
                format!("the project {project} on this host belongs to somebody else"),
                format!("agentctl did not make {}", foreign.join(", ")),
                format!(
                    "to hand it over: docker-compose -p {project} down, then deploy; its volumes \
                     stay"
                ),
            )),
        }
    }

    async fn no_foreign_container(&self, spec: &Spec) -> Result<()> {
        let services = beside(spec);
        let services = services.iter().map(|one| self.names.service(one.name));
        for name in services.chain([self.names.edge()]) {
            let there = self.inspected(&name).await?;
            let labels = there.map(|there| there.config.and_then(|config| config.labels));
            self.is_free("container", &name, labels, "docker rm -f")?;
        }
        Ok(())
    }

    /// Any release's: which one comes next is not known yet.
    async fn no_foreign_replica(&self) -> Result<()> {
        for one in self.containers(Vec::new()).await? {
            let name = name(&one);
            if self.names.is_replica(&name) {
                self.is_free("container", &name, Some(one.labels), "docker rm -f")?;
            }
        }
        Ok(())
    }

    async fn no_foreign_network(&self) -> Result<()> {
        let name = &self.names.project;
        let labels = match self.engine.docker.inspect_network(name, None).await {
            Ok(there) => Some(there.labels),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(self.engine.failure(error)),
        };
        self.is_free("network", name, labels, "docker network rm")
    }

    async fn no_foreign_volume(&self, spec: &Spec) -> Result<()> {
        let services = beside(spec);
        let disks = services.iter().filter(|one| one.is_kept());
        let disks = disks.map(|one| self.names.disk(one.name));
        let own = ["state", "config", "secrets"].map(|what| self.names.volume(what));
        for name in own.into_iter().chain(disks) {
            let labels = match self.engine.docker.inspect_volume(&name).await {
                Ok(there) => Some(Some(there.labels)),
                Err(error) if is_missing(&error) => None,
                Err(error) => return Err(self.engine.failure(error)),
            };
            let removal = "with all that is in it: docker volume rm";
            self.is_free("volume", &name, labels, removal)?;
        }
        Ok(())
    }

    /// `labels` of what is there, if something is.
    fn is_free(
        &self,
        what: &str,
        name: &str,
        labels: Option<Option<Labels>>,
        removal: &str,
    ) -> Result<()> {
        match labels {
            Some(labels) if !self.is_own(labels.as_ref()) => Err(because(
                format!("the {what} {name} on this host belongs to somebody else"),
                "it has a name that agentctl needs, and agentctl did not make it",
                format!("give the agent another name, or remove it, {removal} {name}"),
            )),
            _ => Ok(()),
        }
    }

    fn is_own(&self, labels: Option<&Labels>) -> bool {
        let agent = labels.and_then(|labels| labels.get(AGENT));
        agent == Some(&self.names.agent)
    }
}

fn name(one: &ContainerSummary) -> String {
    let names = one.names.iter().flatten();
    let name = names.map(|name| name.trim_start_matches('/')).next();
    name.or(one.id.as_deref())
        .unwrap_or("a container")
        .to_owned()
}
