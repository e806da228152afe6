//! What is applied, and when: everything that a release needs beside its replicas, the replicas, and
//! who gets requests.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::places::{self, Places};
use super::router::{self, Router};
use super::world::{Things, What, World, release_of};
use super::{Kubernetes, address, refusal};
use crate::advice::{advice, because};
use crate::journal::{Fenced, HEARTBEAT, Store};
use crate::release::{Release, ReleaseId, workload_of};
use crate::spec::Percent;
use crate::target::{Target, Traffic};

/// How long a cluster may take to do as it was told.
const TAKES: Duration = Duration::from_secs(60);

/// What changes the number of replicas by itself, and so comes when the rollout is over.
const SCALERS: [&str; 3] = [
    "ScaledObject",
    "HorizontalPodAutoscaler",
    "VerticalPodAutoscaler",
];

/// Who may reach a release's replicas, and what they may reach.
pub(super) const POLICY: &str = "NetworkPolicy";

/// What makes a release's replicas.
const WORKLOADS: [&str; 5] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];

impl Kubernetes {
    /// Everything but replicas, routes and scalers is there afterwards.
    pub(crate) async fn fetch(&self, release: &Release) -> Result<()> {
        if release.objects.is_empty() {
            return Err(advice(
                format!("{} was not made for a cluster", release.id),
                "agentctl rollback --to names another release",
            ));
        }
        self.still_ours().await?;
        self.cluster.has_values_of(release).await?;
        self.has_no_strangers(release).await?;
        self.pause_scalers().await?;
        self.know(release);
        self.begun.set(Some(release.id));
        let brought = self.bring(release).await;
        if brought
            .as_ref()
            .is_err_and(|error| refusal::code(error).is_some())
        {
            // What was refused is told, not what hinders taking the rest away.
            let _ = self.unfetch(release).await;
        }
        brought
    }

    async fn bring(&self, release: &Release) -> Result<()> {
        let router = router::of(&release.objects, &self.cluster.agent);
        let own = |object: &&Value| {
            let is_other = object["kind"] == "Namespace" || router.owns(object);
            !is_other && !is_scaler(object) && !is_workload(object, release.id)
        };
        let mut told = Vec::new();
        for object in release.objects.iter().filter(own) {
            told.extend(self.apply_once(object).await?);
        }
        for object in told {
            self.cluster.fetched(object).await?;
        }
        Ok(())
    }

    /// One owner of the number of replicas at a time: while a rollout runs that is agentctl, and then
    /// whatever scales the release that serves.
    pub(crate) async fn settle(&self) -> Result<()> {
        self.ordered.take();
        self.tidy().await?;
        let seen = self.observe().await?;
        let full = seen
            .shares
            .iter()
            .find(|(_, share)| **share == Percent::FULL);
        let Some((serving, _)) = full else {
            return Ok(());
        };
        let kept = self.objects_of(*serving).await?;
        for scaler in kept.iter().filter(|object| is_scaler(object)) {
            self.apply_once(scaler).await?;
        }
        Ok(())
    }

    /// What is left of releases that gave all their places in a shared set to another, and of those that
    /// somebody else scaled to nothing: a rollout ends only what has replicas.
    async fn tidy(&self) -> Result<()> {
        self.with_world(async |world, router| {
            world.catch_up()?;
            let shares = router.shares(&world.things);
            for release in world.things.left().union(&world.things.emptied(&shares)) {
                let kept = self.objects_of(*release).await?;
                self.end(world, *release, &kept).await?;
            }
            Ok(())
        })
        .await
    }

    /// Scalers of what serves now wait until the rollout is over.
    async fn pause_scalers(&self) -> Result<()> {
        for release in self.observe().await?.releases.into_keys() {
            let kept = self.objects_of(release).await?;
            for scaler in kept.iter().filter(|object| is_scaler(object)) {
                let path = address::of(scaler, &self.cluster.namespace)?;
                self.cluster.delete(&path).await?;
                self.cluster.applied.borrow_mut().remove(&path);
            }
        }
        Ok(())
    }

    pub(super) async fn scaled(&self, release: &Release, replicas: u32) -> Result<()> {
        self.still_ours().await?;
        self.know(release);
        if replicas > 0 {
            self.begun.set(Some(release.id));
        }
        self.with_world(async |world, _| match replicas {
            0 => {
                self.hand_over(world, release).await?;
                self.end(world, release.id, &release.objects).await
            }
            _ => self.keep_up(world, release, replicas).await,
        })
        .await
    }

    /// In a set that releases share, another gets the places.
    async fn hand_over(&self, world: &mut World, release: &Release) -> Result<()> {
        let Some(places) = world.things.places() else {
            return Ok(());
        };
        let others = places.scaled(release.id, 0);
        match others.own == release.id || others == places {
            true => Ok(()),
            false => self.share(world, others).await,
        }
    }

    async fn share(&self, world: &mut World, places: Places) -> Result<()> {
        let kept = self.objects_of(places.own).await?;
        let Some(workload) = workload_of(&kept, places.own) else {
            bail!("what {} was made of is not kept any more", places.own);
        };
        let mut workload = workload.clone();
        places.write(&mut workload);
        self.apply_workload(world, &workload).await
    }

    async fn keep_up(&self, world: &mut World, release: &Release, replicas: u32) -> Result<()> {
        outlived(world, release).await?;
        if world.things.workload(release.id).is_none() {
            for object in release.objects.iter().filter(|one| is_own(one, release.id)) {
                let told = self.apply_once(object).await?;
                if let (Some(told), true) = (told, object["kind"] == "Service") {
                    world.things.told(What::Services, told);
                }
            }
        }
        if world.things.workload.kind == places::KIND {
            let places = world.things.places();
            let places = places.unwrap_or_else(|| Places::new(release.id));
            return self.share(world, places.scaled(release.id, replicas)).await;
        }
        let workloads = release.objects.iter();
        for workload in workloads.filter(|one| is_workload(one, release.id)) {
            let mut workload = workload.clone();
            if workload["kind"] == "Deployment" {
                workload["spec"]["replicas"] = json!(replicas);
            }
            self.apply_workload(world, &workload).await?;
        }
        Ok(())
    }

    /// A scaler of the cluster may own the number of one that agentctl made; of another's nothing is
    /// taken.
    async fn apply_workload(&self, world: &mut World, workload: &Value) -> Result<()> {
        let is_ours = world
            .things
            .named(What::Workloads, name(workload))
            .is_some();
        let told = self.cluster.apply(workload, is_ours).await?;
        world.things.told(What::Workloads, told);
        Ok(())
    }

    /// Its pods leave as they were told to, and nobody waits for them here. Who may reach them, and whom
    /// they reach, stays as it is until the release is forgotten: what is open goes on meanwhile.
    async fn end(&self, world: &mut World, release: ReleaseId, objects: &[Value]) -> Result<()> {
        // Where releases share a workload, it may be another's by now.
        let has_workload = world.things.workload(release).is_some();
        let own = |object: &&Value| {
            let workload = has_workload && is_workload(object, release);
            let is_policy = object["kind"] == POLICY;
            workload || (is_own(object, release) && !is_policy) || is_scaler(object)
        };
        for object in objects.iter().filter(own) {
            let path = address::of(object, &self.cluster.namespace)?;
            self.cluster.delete(&path).await?;
            self.cluster.applied.borrow_mut().remove(&path);
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            match is_workload(object, release) {
                true => world.things.bury(What::Workloads, name),
                false => world.things.bury(What::Services, name),
            }
        }
        Ok(())
    }

    /// Returns when the cluster sends requests so.
    pub(super) async fn routed(&self, traffic: &Traffic) -> Result<()> {
        self.still_ours().await?;
        self.with_world(async |world, router| {
            self.send(world, router, traffic).await?;
            self.ordered.replace(Some(Rc::new(traffic.clone())));
            match becomes(world, |things| router.is_confirmed(things, traffic)).await? {
                true => Ok(()),
                false => Err(unconfirmed(router, &world.things)),
            }
        })
        .await
    }

    async fn send(&self, world: &mut World, router: &dyn Router, traffic: &Traffic) -> Result<()> {
        let Some(newest) = traffic.shares.keys().next_back() else {
            bail!("nobody is to get traffic");
        };
        let kept = self.objects_of(*newest).await?;
        for (what, object) in router.objects(&kept, &world.things, traffic) {
            // Whoever changed it by hand meanwhile may have nobody served: an undo too has to succeed.
            let is_ours = world
                .things
                .splitting(&object)
                .is_some_and(address::is_ours);
            let told = match what {
                What::Services => self.cluster.apply_alone(&object, is_ours).await?,
                _ => self.cluster.apply(&object, is_ours).await?,
            };
            world.things.told(what, told);
        }
        Ok(())
    }

    /// Somebody may have deleted what sends requests, or what answers them: a step that stands long
    /// would serve nobody.
    pub(super) async fn put_back(&self, world: &mut World, router: &dyn Router) -> Result<()> {
        let Some(traffic) = self.ordered.borrow().clone() else {
            return Ok(());
        };
        let shares = traffic.shares.keys();
        let lost = shares.filter_map(|id| Some((*id, world.things.lost(*id)?)));
        for (release, replicas) in lost.collect::<Vec<_>>() {
            self.still_ours().await?;
            if let Some(release) = self.release(release).await? {
                self.keep_up(world, &release, replicas).await?;
            }
        }
        if served(&router.shares(&world.things)) != served(&traffic.shares) {
            self.still_ours().await?;
            self.send(world, router, &traffic).await?;
        }
        Ok(())
    }

    /// What this process has applied already stays as it is; then there is no answer.
    async fn apply_once(&self, object: &Value) -> Result<Option<Value>> {
        let path = address::of(object, &self.cluster.namespace)?;
        if self.cluster.applied.borrow().get(&path) == Some(object) {
            return Ok(None);
        }
        let told = self.cluster.apply(object, false).await?;
        let mut applied = self.cluster.applied.borrow_mut();
        applied.insert(path, object.clone());
        Ok(Some(told))
    }

    /// A write under the lease a moment ago is proof enough, by a clock that goes on while the machine
    /// sleeps.
    pub(super) async fn still_ours(&self) -> Result<()> {
        if self.fence == 0 {
            return Ok(());
        }
        let confirmed = self.cluster.confirmed.get();
        let since = confirmed.and_then(|at| SystemTime::now().duration_since(at).ok());
        if since.is_some_and(|since| since < HEARTBEAT) {
            return Ok(());
        }
        let holder = self.journal.holder().await?;
        match &holder {
            Some(holder) if holder.fence == self.fence => Ok(()),
            _ => bail!(Fenced {
                what: self.cluster.title.clone(),
                holder,
            }),
        }
    }
}

fn served(shares: &BTreeMap<ReleaseId, Percent>) -> BTreeSet<ReleaseId> {
    let all = shares.iter().filter(|(_, share)| !share.is_zero());
    all.map(|(id, _)| *id).collect()
}

/// Whether it did in the time that a cluster may take.
async fn becomes(world: &mut World, is_so: impl Fn(&Things) -> bool) -> Result<bool> {
    let deadline = Instant::now() + TAKES;
    world.catch_up()?;
    while !is_so(&world.things) {
        match timeout_at(deadline, world.news()).await {
            Ok(news) => drop(news?),
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Pods of a workload that was deleted are ready until the cluster marks them: they would count as
/// those of the one that is made now, and then be gone.
async fn outlived(world: &mut World, release: &Release) -> Result<()> {
    let mut objects = release.objects.iter();
    let workload = objects.find(|one| is_workload(one, release.id));
    let name = workload.map(name).unwrap_or_default();
    match becomes(world, |things| !things.has_orphans(release.id, name)).await? {
        true => Ok(()),
        false => Err(advice(
            format!(
                "the cluster does not end the pods that {} had before",
                release.id
            ),
            "kubectl get pods --show-labels shows them; kubectl delete pod ends them",
        )),
    }
}

fn unconfirmed(router: &dyn Router, things: &Things) -> anyhow::Error {
    let name = router.name();
    let what = format!("the cluster did not send requests as it was told (router: {name})");
    match router.lacks(things) {
        Some(why) => because(
            what,
            why,
            "see whether its controller runs, and what it says: kubectl get pods -A, kubectl logs",
        ),
        None => advice(
            what,
            "kubectl get endpointslices, kubectl get events: who keeps endpoints up to date?",
        ),
    }
}

/// Belongs to this release alone, beside its workload and scalers.
fn is_own(object: &Value, release: ReleaseId) -> bool {
    release_of(object) == Some(release)
        && !is_workload(object, release)
        && !is_scaler(object)
        && named_by(object, release)
}

pub(super) fn is_workload(object: &Value, release: ReleaseId) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    WORKLOADS.contains(&kind) && workload_of(std::slice::from_ref(object), release).is_some()
}

pub(super) fn is_scaler(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    SCALERS.contains(&kind)
}

pub(super) fn named_by(object: &Value, release: ReleaseId) -> bool {
    name(object).contains(&format!("-{release}"))
}

pub(super) fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
