//! Ends and takes away what agentctl made, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use hyper::Method;
use serde_json::Value;

use super::cluster::{Body, MANAGER};
use super::orders::POLICY;
use super::references::references;
use super::router::Router;
use super::world::{NAME, Things, What, World};
use super::{Kubernetes, address};
use crate::release::{Release, ReleaseId};
use crate::render::secret_of;
use crate::target::Target;

impl Kubernetes {
    /// Ends all replicas and takes their Services away, and waits for that; `now` does not wait for
    /// open requests.
    pub(crate) async fn stop(&self, now: bool) -> Result<()> {
        self.still_ours().await?;
        self.with_world(async |world, router| {
            world.catch_up()?;
            for release in world.things.releases() {
                let kept = self.objects_of(release).await?;
                for object in kept.iter().filter(|one| super::orders::is_scaler(one)) {
                    let path = address::of(object, &self.cluster.namespace)?;
                    self.cluster.delete(&path).await?;
                }
            }
            for what in [What::Workloads, What::Services, What::Routes] {
                self.delete_all(world, router, what).await?;
            }
            if now {
                self.kill_pods().await?;
            }
            // The cluster hears of it before its pods do.
            while world.things.each(What::Pods).next().is_some() {
                world.news().await?;
            }
            Ok(())
        })
        .await
    }

    async fn delete_all(&self, world: &mut World, router: &dyn Router, what: What) -> Result<()> {
        let things = &world.things;
        let routes = router.listens(&self.cluster.namespace);
        let routes = routes.map(|topic| topic.path);
        let named = |object: &Value| {
            let path = match (what, &routes) {
                (What::Routes, Some(routes)) => {
                    format!("{routes}/{}", object["metadata"]["name"].as_str()?)
                }
                _ => self_link(object, what, things, &self.cluster.namespace)?,
            };
            Some((object["metadata"]["name"].as_str()?.to_owned(), path))
        };
        let all: Vec<_> = things.each(what).filter_map(named).collect();
        for (name, path) in all {
            self.cluster.delete(&path).await?;
            self.cluster.applied.borrow_mut().remove(&path);
            world.things.bury(what, &name);
        }
        Ok(())
    }

    async fn kill_pods(&self) -> Result<()> {
        let pods = address::all("v1", "Pod", &self.cluster.namespace);
        let ours = address::labelled(&format!("{NAME}={}", self.cluster.agent));
        let query = format!("{pods}?gracePeriodSeconds=0{ours}");
        let deleted = self
            .cluster
            .ask(Method::DELETE, &query, &Body::None, "end the pods");
        deleted.await.map(drop)
    }

    /// Whether agentctl made anything there that is not removed yet.
    pub(crate) async fn is_there(&self) -> Result<bool> {
        let leases = address::all("coordination.k8s.io/v1", "Lease", &self.cluster.namespace);
        let lease = format!("{leases}/{}", self.cluster.agent);
        Ok(self.cluster.get(&lease).await?.is_some())
    }

    /// Every object of every release that is kept, the secrets and the journal; the namespace stays.
    pub(crate) async fn remove_everything(&self) -> Result<()> {
        let mut paths = BTreeMap::new();
        for name in self.journal.documents().await? {
            let Some(kept) = release(&name) else {
                continue;
            };
            for object in self.objects_of(kept).await?.iter() {
                if object["kind"] != "Namespace" {
                    paths.insert(address::of(object, &self.cluster.namespace)?, ());
                }
            }
        }
        for path in paths.keys() {
            self.cluster.delete(path).await?;
        }
        self.cluster.forget_runners().await?;
        self.cluster.drop_secrets(|_| false).await?;
        self.forget().await
    }

    /// Configurations go with the journal: both are ConfigMaps.
    async fn forget(&self) -> Result<()> {
        let maps = address::all("v1", "ConfigMap", &self.cluster.namespace);
        let agent = &self.cluster.agent;
        for label in [NAME, super::papers::JOURNAL] {
            let ours = format!("{label}={agent},app.kubernetes.io/managed-by={MANAGER}");
            let query = format!("{maps}?{}", address::labelled(&ours));
            let what = "remove the journal";
            self.cluster
                .ask(Method::DELETE, &query, &Body::None, what)
                .await?;
        }
        let leases = address::all("coordination.k8s.io/v1", "Lease", &self.cluster.namespace);
        self.cluster
            .delete(&format!("{leases}/{agent}"))
            .await
            .map(drop)
    }

    /// Documents, configurations and values that only other releases have go.
    pub(crate) async fn keep_only(&self, releases: &[&Release]) -> Result<()> {
        let maps = address::all("v1", "ConfigMap", &self.cluster.namespace);
        let live = self.observe().await?.releases.into_keys();
        let kept: Vec<ReleaseId> = releases.iter().map(|one| one.id).chain(live).collect();
        for name in self.journal.documents().await? {
            let Some(old) = release(&name).filter(|release| !kept.contains(release)) else {
                continue;
            };
            self.drop_config(old, releases).await?;
            self.cluster
                .delete(&format!("{maps}/{}-document-{name}", self.cluster.agent))
                .await?;
        }
        self.keep_secrets_of(&kept).await
    }

    async fn keep_secrets_of(&self, kept: &[ReleaseId]) -> Result<()> {
        let shared = secret_of(&self.cluster.agent, None);
        let mut wanted = BTreeSet::from([shared]);
        for release in kept {
            let objects = self.objects_of(*release).await?;
            wanted.extend(references(&objects).map(|one| one.secret.to_owned()));
        }
        self.cluster
            .drop_secrets(|name| wanted.contains(name))
            .await
    }

    async fn drop_config(&self, release: ReleaseId, kept: &[&Release]) -> Result<()> {
        let is_kept = |object: &&Value| {
            let mut all = kept.iter().flat_map(|release| &release.objects);
            !all.any(|one| address::title(one) == address::title(object))
        };
        let objects = self.objects_of(release).await?;
        let stays = ["ConfigMap", POLICY];
        let configs = objects
            .iter()
            .filter(|object| stays.iter().any(|kind| object["kind"] == *kind));
        for object in configs.filter(is_kept) {
            let path = address::of(object, &self.cluster.namespace)?;
            self.cluster.delete(&path).await?;
        }
        Ok(())
    }
}

pub(super) fn release(document: &str) -> Option<ReleaseId> {
    let release = document.strip_prefix("release-")?.strip_suffix(".json")?;
    release.parse().ok()
}

/// Items of a list do not say of what kind they are.
fn self_link(object: &Value, what: What, things: &Things, namespace: &str) -> Option<String> {
    let name = object["metadata"]["name"].as_str()?;
    let of =
        |version: &str, kind: &str| format!("{}/{name}", address::all(version, kind, namespace));
    match what {
        What::Workloads => Some(of(&things.workload.version, &things.workload.kind)),
        What::Services if is_released_or_main(object) => Some(of("v1", "Service")),
        _ => None,
    }
}

fn is_released_or_main(object: &Value) -> bool {
    let labels = &object["metadata"]["labels"];
    labels["app.kubernetes.io/managed-by"] == MANAGER
}
