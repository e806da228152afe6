//! What makes a release's replicas, and what splits its requests. All that runs of an agent has the
//! same shape: a change of it waits until nothing runs. So one is enough to listen by, and what runs
//! tells which.

use anyhow::Result;
use serde_json::Value;

use super::router::{self, Router};
use super::world::{Form, World};
use super::{Kubernetes, Listening, removal};
use crate::release::{ReleaseId, workload_of};

pub(super) struct Shape {
    pub(super) router: Box<dyn Router>,
    pub(super) workload: Form,
}

/// The name of what splits requests between releases that are made of such objects.
pub(crate) fn routed_by(objects: &[Value], agent: &str) -> &'static str {
    router::of(objects, agent).name()
}

impl Shape {
    fn of(objects: &[Value], release: ReleaseId, agent: &str) -> Self {
        let workload = workload_of(objects, release).and_then(Form::of);
        Self {
            router: router::of(objects, agent),
            workload: workload.unwrap_or_default(),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.router.name() == other.router.name() && self.workload == other.workload
    }
}

impl Kubernetes {
    /// As what runs was made; where nothing does, as the newest release that is kept.
    pub(super) async fn found(&self) -> Result<Listening> {
        let kept = self.journal.documents().await?;
        let kept = kept.iter().filter_map(|name| removal::release(name));
        let mut kept: Vec<ReleaseId> = kept.collect();
        kept.sort_by(|a, b| b.cmp(a));
        let mut heard = None;
        for release in &kept {
            let listening = self.heard_as(heard, *release).await?;
            if listening.world.things.makes(*release) {
                return Ok(listening);
            }
            heard = Some(listening);
        }
        let newest = kept.first().copied().unwrap_or(ReleaseId(0));
        self.heard_as(heard, newest).await
    }

    /// In the shape of this release.
    pub(super) async fn heard_as(
        &self,
        heard: Option<Listening>,
        release: ReleaseId,
    ) -> Result<Listening> {
        let objects = self.objects_of(release).await?;
        let shape = Shape::of(&objects, release, &self.cluster.agent);
        if let Some(same) = heard.filter(|heard| heard.shape.is_like(&shape)) {
            return Ok(same);
        }
        let world = World::open(&self.cluster, &*shape.router, &shape.workload).await?;
        Ok(Listening { world, shape })
    }
}
