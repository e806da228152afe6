//! Ends and takes away what agentctl made, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use hyper::Method;
use serde_json::Value;

use super::cluster::{Body, MANAGER};
use super::orders::POLICY;
use super::references::references;
use super::refusal;
use super::world::{NAME, What, World, release_of};
use super::{Kubernetes, address};
use crate::advice::because;
use crate::release::{Release, ReleaseId};
use crate::render::secret_of;
use crate::target::Target;

/// What makes replicas or sends requests to them, whatever kind and router the agent had: an older
/// release may have had another than the last one.
const MADE: [(What, &str, &[&str]); 10] = [
    (What::Workloads, "Deployment", &["apps/v1"]),
    (What::Workloads, "StatefulSet", &["apps/v1"]),
    (What::Workloads, "DaemonSet", &["apps/v1"]),
    (What::Workloads, "CronJob", &["batch/v1", "batch/v1beta1"]),
    (What::Workloads, "Job", &["batch/v1"]),
    (What::Services, "Service", &["v1"]),
    (What::Routes, "Ingress", &["networking.k8s.io/v1"]),
    (
        What::Routes,
        "HTTPRoute",
        &[
            "gateway.networking.k8s.io/v1",
            "gateway.networking.k8s.io/v1beta1",
        ],
    ),
    (
        What::Routes,
        "VirtualService",
        &["networking.istio.io/v1", "networking.istio.io/v1beta1"],
    ),
    (
        What::Routes,
        "DestinationRule",
        &["networking.istio.io/v1", "networking.istio.io/v1beta1"],
    ),
];

impl Kubernetes {
    /// Ends all replicas and takes their Services away, and waits for that; `now` does not wait for
    /// open requests.
    pub(crate) async fn stop(&self, now: bool) -> Result<()> {
        self.still_ours().await?;
        self.with_world(async |world, _| {
            world.catch_up()?;
            for release in world.things.releases() {
                let kept = self.objects_of(release).await?;
                for object in kept.iter().filter(|one| super::orders::is_scaler(one)) {
                    let path = address::of(object, &self.cluster.namespace)?;
                    self.cluster.delete(&path).await?;
                }
            }
            let untold = self.delete_made(world).await?;
            if now {
                self.kill_pods().await?;
            }
            are_ended(world, &untold)?;
            // The cluster hears of it before its pods do; others may be called as ours are.
            while world
                .things
                .each(What::Pods)
                .any(|pod| release_of(pod).is_some())
            {
                world.news().await?;
            }
            Ok(())
        })
        .await
    }

    /// The answer is the kinds that may not be looked at: a Role allows those of the agent as it is now.
    async fn delete_made(&self, world: &mut World) -> Result<Vec<&'static str>> {
        let mut untold = Vec::new();
        for (what, kind, versions) in MADE {
            for version in versions {
                let all = address::all(version, kind, &self.cluster.namespace);
                match self.ours(&all).await {
                    Err(error) if refusal::code(&error) == Some(403) => untold.push(kind),
                    names => self.delete_each(world, what, &all, names?).await?,
                }
            }
        }
        let maps = address::all("v1", "ConfigMap", &self.cluster.namespace);
        let note = format!("{}-traffic", self.cluster.agent);
        self.delete_each(world, What::Routes, &maps, vec![note])
            .await?;
        self.cluster.applied.borrow_mut().clear();
        Ok(untold)
    }

    /// Names of what agentctl made there of this agent.
    async fn ours(&self, all: &str) -> Result<Vec<String>> {
        let query = format!("{all}?{}", address::ours(&self.cluster.agent));
        let list = self.cluster.get(&query).await?.unwrap_or_default();
        let items = list["items"].as_array().into_iter().flatten();
        let names = items.filter_map(|item| item["metadata"]["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    async fn delete_each(
        &self,
        world: &mut World,
        what: What,
        all: &str,
        names: Vec<String>,
    ) -> Result<()> {
        for name in names {
            self.cluster.delete(&format!("{all}/{name}")).await?;
            world.things.bury(what, &name);
        }
        Ok(())
    }

    async fn kill_pods(&self) -> Result<()> {
        let pods = address::all("v1", "Pod", &self.cluster.namespace);
        let ours = address::ours(&self.cluster.agent);
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
            self.remove(path).await?;
        }
        self.cluster.forget_runners().await?;
        self.cluster.drop_secrets(|_| false).await?;
        self.forget().await
    }

    /// What somebody else made under this name stays.
    async fn remove(&self, path: &str) -> Result<()> {
        let there = self.cluster.get(path).await?;
        if there.as_ref().is_some_and(address::is_ours) {
            self.cluster.delete(path).await?;
        }
        Ok(())
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
        let objects = releases.iter().flat_map(|release| &release.objects);
        let titles: BTreeSet<String> = objects.map(address::title).collect();
        let mut is_any_old = false;
        for name in self.journal.documents().await? {
            let Some(old) = release(&name).filter(|release| !kept.contains(release)) else {
                continue;
            };
            is_any_old = true;
            self.drop_config(old, &titles).await?;
            self.cluster
                .delete(&format!("{maps}/{}-document-{name}", self.cluster.agent))
                .await?;
        }
        match is_any_old {
            true => self.keep_secrets_of(&kept).await,
            false => Ok(()),
        }
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

    /// What a rollout brought that could not begin, and nothing else has: whoever fetches its release
    /// again applies that anew.
    pub(super) async fn unfetch(&self, release: &Release) -> Result<()> {
        if self.observe().await?.releases.contains_key(&release.id) {
            return Ok(());
        }
        let mut kept = BTreeSet::new();
        for name in self.journal.documents().await? {
            if let Some(other) = self::release(&name).filter(|other| *other != release.id) {
                kept.extend(self.objects_of(other).await?.iter().map(address::title));
            }
        }
        self.drop_config(release.id, &kept).await
    }

    async fn drop_config(&self, release: ReleaseId, kept: &BTreeSet<String>) -> Result<()> {
        let goes = |object: &&Value| {
            let kind = &object["kind"];
            (*kind == "ConfigMap" || *kind == POLICY) && !kept.contains(&address::title(object))
        };
        for object in self.objects_of(release).await?.iter().filter(goes) {
            let path = address::of(object, &self.cluster.namespace)?;
            self.cluster.delete(&path).await?;
            self.cluster.applied.borrow_mut().remove(&path);
        }
        Ok(())
    }
}

pub(super) fn release(document: &str) -> Option<ReleaseId> {
    let release = document.strip_prefix("release-")?.strip_suffix(".json")?;
    release.parse().ok()
}

/// # Errors
/// Replicas that would run on for ever: of a kind that may not be looked at.
fn are_ended(world: &World, untold: &[&str]) -> Result<()> {
    let mut makers = world.things.each(What::Pods).filter_map(maker);
    let Some((kind, name)) = makers.find(|(kind, _)| untold.contains(kind)) else {
        return Ok(());
    };
    Err(because(
        format!("could not stop the replicas of {name}"),
        format!("not allowed there: list, delete of a {kind}"),
        "ask whoever runs the cluster to delete it, or for the Role that agentctl render rbac prints",
    ))
}

/// What keeps a pod up, by its kind; a Deployment does so by sets that are called as it is.
fn maker(pod: &Value) -> Option<(&str, &str)> {
    let owner = &pod["metadata"]["ownerReferences"][0];
    let kind = match owner["kind"].as_str()? {
        "ReplicaSet" => "Deployment",
        kind => kind,
    };
    Some((kind, owner["name"].as_str()?))
}
