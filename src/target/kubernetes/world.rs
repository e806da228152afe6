//! Everything of the agent in the cluster, as it was heard of up to now, and what that comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use anyhow::Result;
use futures_util::StreamExt;
use futures_util::future::FutureExt;
use futures_util::stream::{LocalBoxStream, SelectAll};
use serde_json::Value;

use super::address::{self, escaped};
use super::cluster::Cluster;
use super::endpoints::{addresses, service_of};
use super::heard::{Change, Objects, Topic, feed, put, take_in};
use super::places::{self, Places};
use super::pods::{Standing, standing};
use super::router::Router;
use crate::release::ReleaseId;
use crate::spec::Percent;

pub(super) const RELEASE: &str = "agentctl.dev/release";
pub(super) const NAME: &str = "app.kubernetes.io/name";

/// What is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Pods,
    Workloads,
    Services,
    /// Which pods each Service sends requests to.
    Endpoints,
    Warnings,
    /// Why the places of a set are not filled.
    Refusals,
    /// What routers have beside Services.
    Routes,
}

/// What makes the replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) version: String,
    pub(super) kind: String,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
        }
    }
}

impl Form {
    pub(super) fn of(workload: &Value) -> Option<Self> {
        Some(Self {
            version: workload["apiVersion"].as_str()?.to_owned(),
            kind: workload["kind"].as_str()?.to_owned(),
        })
    }
}

/// Everything by kind and name.
#[derive(Default)]
pub(super) struct Things {
    pub(super) agent: String,
    pub(super) namespace: String,
    pub(super) workload: Form,
    all: BTreeMap<What, Objects>,
    /// What was deleted here; older news of it is no news.
    buried: BTreeSet<String>,
    /// How many replicas each release has as it was found, or ordered here since then.
    replicas: BTreeMap<ReleaseId, u32>,
}

pub(super) struct World {
    pub(super) things: Things,
    feeds: SelectAll<LocalBoxStream<'static, (What, Result<Change>)>>,
}

impl World {
    /// All that there is now.
    pub(super) async fn open(
        cluster: &Rc<Cluster>,
        router: &dyn Router,
        workload: &Form,
    ) -> Result<Self> {
        let topics = topics(cluster, router, workload).await?;
        let mut missing: Vec<What> = topics.iter().map(|(what, _)| *what).collect();
        let feeds = topics.into_iter().map(|(what, topic)| {
            let changes = feed(Rc::clone(cluster), topic);
            changes.map(move |change| (what, change)).boxed_local()
        });
        let mut world = Self {
            things: Things {
                workload: workload.clone(),
                ..Things::of(&cluster.agent, &cluster.namespace)
            },
            feeds: feeds.collect(),
        };
        while !missing.is_empty() {
            let Some(what) = world.news().await? else {
                break;
            };
            if let Some(at) = missing.iter().position(|one| *one == what) {
                missing.remove(at);
            }
        }
        Ok(world)
    }

    /// The next change of anything.
    pub(super) async fn news(&mut self) -> Result<Option<What>> {
        let Some((what, change)) = self.feeds.next().await else {
            return Ok(None);
        };
        self.things.take_in(what, change?);
        Ok(Some(what))
    }

    /// What came in meanwhile; waits for nothing.
    pub(super) fn catch_up(&mut self) -> Result<()> {
        while let Some(Some((what, change))) = self.feeds.next().now_or_never() {
            self.things.take_in(what, change?);
        }
        Ok(())
    }
}

async fn topics(
    cluster: &Cluster,
    router: &dyn Router,
    workload: &Form,
) -> Result<Vec<(What, Topic)>> {
    let namespace = &cluster.namespace;
    let ours = address::ours(&cluster.agent);
    let of = |version: &str, kind: &str| Topic {
        path: address::all(version, kind, namespace),
        selectors: ours.clone(),
    };
    let slices = of("discovery.k8s.io/v1", "EndpointSlice");
    let has_slices = match cluster.served.get() {
        Some(served) => served.has("discovery.k8s.io", "v1"),
        None => cluster.get("/apis/discovery.k8s.io/v1").await?.is_some(),
    };
    let warnings = |about: &str| Topic {
        path: address::all("v1", "Event", namespace),
        selectors: format!(
            "&fieldSelector={}",
            escaped(&format!("{about},type=Warning"))
        ),
    };
    let mut topics = vec![
        (What::Pods, of("v1", "Pod")),
        (What::Workloads, of(&workload.version, &workload.kind)),
        (What::Services, of("v1", "Service")),
        (
            What::Endpoints,
            if has_slices {
                slices
            } else {
                of("v1", "Endpoints")
            },
        ),
        (What::Warnings, warnings("involvedObject.kind=Pod")),
    ];
    if workload.kind == places::KIND {
        let set = format!(
            "involvedObject.kind={},involvedObject.name={}",
            places::KIND,
            cluster.agent
        );
        topics.push((What::Refusals, warnings(&set)));
    }
    topics.extend(router.listens(namespace).map(|topic| (What::Routes, topic)));
    Ok(topics)
}

impl Things {
    pub(super) fn of(agent: &str, namespace: &str) -> Self {
        Self {
            agent: agent.to_owned(),
            namespace: namespace.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn take_in(&mut self, what: What, change: Change) {
        let is_buried = |object: &Value| self.buried.contains(uid(object));
        if matches!(&change, Change::Put(object) if is_buried(object)) {
            return;
        }
        if let (What::Workloads, Change::All(all)) = (what, &change) {
            for (release, found) in all.iter().filter_map(replicas) {
                self.replicas.entry(release).or_insert(found);
            }
        }
        take_in(self.all.entry(what).or_default(), change);
    }

    /// How many replicas a Deployment was to have that somebody else deleted meanwhile, or left fewer.
    /// A deleted one counts once its pods are marked, for until then they would be those of one made
    /// anew.
    pub(super) fn lost(&self, release: ReleaseId) -> Option<u32> {
        let wanted = *self.replicas.get(&release)?;
        let is_lost = match self.workload(release) {
            Some(workload) => replicas(workload).is_some_and(|(_, there)| there < wanted),
            None => self.pods(release).into_iter().all(is_leaving),
        };
        (is_lost && self.workload.kind == "Deployment").then_some(wanted)
    }

    /// What an answer told.
    pub(super) fn told(&mut self, what: What, object: Value) {
        if what == What::Workloads {
            self.replicas.extend(replicas(&object));
        }
        put(self.all.entry(what).or_default(), object);
    }

    /// It was deleted here.
    pub(super) fn bury(&mut self, what: What, name: &str) {
        let gone = self.all.entry(what).or_default().remove(name);
        if what == What::Workloads {
            let release = gone.as_ref().and_then(release_of);
            release.map(|release| self.replicas.remove(&release));
        }
        self.buried
            .extend(gone.map(|object| uid(&object).to_owned()));
    }

    pub(super) fn named(&self, what: What, name: &str) -> Option<&Value> {
        self.all.get(&what)?.get(name)
    }

    /// The live object of one that splits requests.
    pub(super) fn splitting(&self, object: &Value) -> Option<&Value> {
        let what = match object["kind"] == "Service" {
            true => What::Services,
            false => What::Routes,
        };
        self.named(what, object["metadata"]["name"].as_str()?)
    }

    pub(super) fn each(&self, what: What) -> impl Iterator<Item = &Value> {
        self.all.get(&what).into_iter().flat_map(Objects::values)
    }

    pub(super) fn workload(&self, release: ReleaseId) -> Option<&Value> {
        let mut all = self.each(What::Workloads);
        all.find(|object| release_of(object) == Some(release))
    }

    /// Whether something stands that makes its replicas.
    pub(super) fn makes(&self, release: ReleaseId) -> bool {
        let is_its = |places: Places| places.releases().contains(&release);
        self.workload(release).is_some() || self.places().is_some_and(is_its)
    }

    pub(super) fn releases(&self) -> BTreeSet<ReleaseId> {
        let workloads = self.each(What::Workloads);
        let leaving = self.each(What::Pods).filter(|pod| is_leaving(pod));
        let all = workloads.chain(leaving).filter_map(release_of);
        let shared = self.places().map(|places| places.releases());
        all.chain(shared.into_iter().flatten()).collect()
    }

    /// Whose Services stand without anything that makes replicas; some may be leaving.
    pub(super) fn left(&self) -> BTreeSet<ReleaseId> {
        let services = self.each(What::Services).filter_map(release_of);
        services.filter(|release| !self.makes(*release)).collect()
    }

    /// Whose own workload is to have no replicas while others have all requests. One that waits for
    /// work has its share.
    pub(super) fn emptied(&self, shares: &BTreeMap<ReleaseId, Percent>) -> BTreeSet<ReleaseId> {
        let is_served = |id: &ReleaseId| shares.get(id).is_some_and(|share| !share.is_zero());
        if self.workload.kind != "Deployment" || !shares.keys().any(is_served) {
            return BTreeSet::new();
        }
        let all = self.each(What::Workloads);
        let empty = all.filter(|object| object["spec"]["replicas"] == 0);
        empty
            .filter_map(release_of)
            .filter(|id| !is_served(id))
            .collect()
    }

    /// Where releases share one set.
    pub(super) fn places(&self) -> Option<Places> {
        let mut sets = self.each(What::Workloads);
        let is_shared = self.workload.kind == places::KIND;
        is_shared.then(|| sets.find_map(Places::of)).flatten()
    }

    /// In the order in which they were made, which numbers them.
    pub(super) fn pods(&self, release: ReleaseId) -> Vec<&Value> {
        let all = self.each(What::Pods);
        let mut pods: Vec<&Value> = all.filter(|pod| release_of(pod) == Some(release)).collect();
        let made = |pod: &&Value| {
            let metadata = &pod["metadata"];
            let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
            (text("creationTimestamp"), text("name"))
        };
        pods.sort_by_key(made);
        pods
    }

    /// Pods that were left by an earlier workload of this name, and are not marked to end yet.
    pub(super) fn has_orphans(&self, release: ReleaseId, workload: &str) -> bool {
        let is_there = self.named(What::Workloads, workload).is_some();
        !is_there && !self.pods(release).into_iter().all(is_leaving)
    }

    /// Names of the pods that this Service sends requests to.
    pub(super) fn reached(&self, service: &str) -> BTreeSet<&str> {
        let all = self.each(What::Endpoints);
        all.filter(|object| service_of(object) == service)
            .flat_map(addresses)
            .collect()
    }

    pub(super) fn service_of(&self, release: ReleaseId) -> String {
        format!("{}-{release}", self.agent)
    }

    /// How each pod of a release stands, with its number.
    pub(super) fn standings(&self, release: ReleaseId) -> Vec<(u32, &Value, Standing)> {
        let service = self.service_of(release);
        let is_served = self.named(What::Services, &service).is_some();
        let reached = self.reached(&service);
        let pods = (1..).zip(self.pods(release));
        pods.map(|(number, pod)| {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let reached = !is_served || reached.contains(name);
            (number, pod, standing(pod, reached, &self.warnings(pod)))
        })
        .collect()
    }

    /// Places of a set are named alike, whoever has them.
    fn warnings(&self, pod: &Value) -> Vec<&Value> {
        let all = self.each(What::Warnings);
        let mut warnings: Vec<&Value> = all
            .filter(|event| event["involvedObject"]["uid"] == pod["metadata"]["uid"])
            .collect();
        warnings.sort_by_key(|event| event["lastTimestamp"].as_str().unwrap_or_default());
        warnings
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

pub(super) fn release_of(object: &Value) -> Option<ReleaseId> {
    object["metadata"]["labels"][RELEASE].as_str()?.parse().ok()
}

/// Of a workload.
fn replicas(workload: &Value) -> Option<(ReleaseId, u32)> {
    let replicas = workload["spec"]["replicas"].as_u64()?;
    Some((release_of(workload)?, replicas.try_into().ok()?))
}

fn is_leaving(pod: &Value) -> bool {
    !pod["metadata"]["deletionTimestamp"].is_null()
}

mod seen;
#[cfg(test)]
mod tests;
