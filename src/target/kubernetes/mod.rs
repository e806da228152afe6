//! Pods of a Kubernetes cluster: what `render` shows, applied release by release.
//!
//! A Deployment for each release, a Service that selects what serves, and one for each release that
//! says which of its pods the cluster sends to. agentctl is a client and nothing of it runs there: the
//! cluster keeps the pods up, and the journal lies in it. Invariants: all is heard of by watches; what
//! was applied is believed from the answer; an order is given only while the lease is ours.

mod address;
mod beside;
mod checkup;
mod cluster;
mod count;
mod difference;
mod endpoints;
mod external;
mod fits;
mod heard;
mod logs;
mod orders;
mod papers;
mod places;
mod pods;
mod reach;
mod references;
mod refusal;
mod removal;
mod request;
mod router;
mod runner;
mod secrets;
mod served;
mod sets;
mod shape;
mod strangers;
#[cfg(test)]
mod tests;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;

pub(crate) use cluster::Cluster;
pub(crate) use fits::unseen_secret;
pub(crate) use papers::{Papers, can_be_kept};
pub(crate) use runner::{Order, Runner};
pub(crate) use served::Served;

use super::{Log, Place, Reply, Seen, Spent, Target, Traffic};
use crate::journal::{Shelved, Store};
use crate::release::{Release, ReleaseId};
use crate::spec::ProbeRequest;
use router::Router;
use shape::Shape;
pub(crate) use shape::routed_by;
use world::World;

/// How long `next` waits for news.
const SECOND: Duration = Duration::from_secs(1);

/// The agent's journal in its cluster.
pub(crate) type Journal = Shelved<Papers>;

pub(crate) struct Kubernetes {
    pub(crate) cluster: Rc<Cluster>,
    journal: Rc<Journal>,
    /// The lease's; 0 for who only looks.
    fence: u64,
    world: Mutex<Option<Listening>>,
    /// What this process began with last: all that runs from then on is made as it is.
    begun: Cell<Option<ReleaseId>>,
    /// The traffic that this process ordered last.
    ordered: RefCell<Option<Rc<Traffic>>>,
    /// Objects of releases, as far as they were needed.
    objects: RefCell<BTreeMap<ReleaseId, Rc<Vec<Value>>>>,
}

/// The world, and what it is heard of for.
struct Listening {
    world: World,
    shape: Shape,
}

impl Kubernetes {
    pub(crate) fn new(cluster: Rc<Cluster>, journal: Rc<Journal>, fence: u64) -> Self {
        Self {
            cluster,
            journal,
            fence,
            world: Mutex::default(),
            begun: Cell::default(),
            ordered: RefCell::default(),
            objects: RefCell::default(),
        }
    }

    /// None where the release is not kept any more.
    async fn objects_of(&self, release: ReleaseId) -> Result<Rc<Vec<Value>>> {
        if let Some(known) = self.objects.borrow().get(&release) {
            return Ok(Rc::clone(known));
        }
        Ok(match self.release(release).await? {
            Some(release) => self.know(&release),
            None => Rc::default(),
        })
    }

    /// As it is kept.
    async fn release(&self, release: ReleaseId) -> Result<Option<Release>> {
        let kept = self.journal.get(&release.document()).await?;
        let release = kept.map(|kept| serde_json::from_slice(&kept));
        Ok(release.transpose()?)
    }

    fn know(&self, release: &Release) -> Rc<Vec<Value>> {
        let objects = Rc::new(release.objects.clone());
        let mut known = self.objects.borrow_mut();
        known.insert(release.id, Rc::clone(&objects));
        objects
    }

    /// Does something with the world, which is listened to from then on.
    async fn with_world<T>(
        &self,
        act: impl AsyncFnOnce(&mut World, &dyn Router) -> Result<T>,
    ) -> Result<T> {
        let mut kept = self.world.lock().await;
        let heard = match (self.begun.get(), kept.take()) {
            (Some(begun), heard) => self.heard_as(heard, begun).await?,
            (None, Some(heard)) => heard,
            (None, None) => self.found().await?,
        };
        let Listening { world, shape } = kept.insert(heard);
        act(world, &*shape.router).await
    }
}

impl Target for Kubernetes {
    async fn observe(&self) -> Result<Seen> {
        self.with_world(async |world, router| {
            world.catch_up()?;
            Ok(world.things.seen(router))
        })
        .await
    }

    async fn next(&self) -> Result<Seen> {
        self.with_world(async |world, router| {
            if let Ok(news) = timeout(SECOND, world.news()).await {
                news?;
            }
            world.catch_up()?;
            self.put_back(world, router).await?;
            Ok(world.things.seen(router))
        })
        .await
    }

    async fn scale(&self, release: &Release, replicas: u32) -> Result<()> {
        self.scaled(release, replicas).await
    }

    async fn route(&self, traffic: &Traffic) -> Result<()> {
        self.routed(traffic).await
    }

    async fn request(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
        replica: Option<u32>,
    ) -> Result<Reply> {
        self.asked(release, request, within, replica).await
    }

    /// Nobody measures there: gates that would ask are refused before.
    async fn spent(&self, _: Place) -> Result<Spent> {
        Ok(Spent::default())
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        self.logs_of(release, lines).await
    }
}
