//! What all that was heard of comes to: who stands, how ready, with which share.

use serde_json::Value;

use super::{Things, What};
use crate::release::ReleaseId;
use crate::target::kubernetes::count::{Counted, not_made, refused};
use crate::target::kubernetes::router::Router;
use crate::target::kubernetes::sets::{Whole, whole};
use crate::target::{Failing, Seen, SeenRelease};

impl Things {
    pub(in crate::target::kubernetes) fn seen(&self, router: &dyn Router) -> Seen {
        let releases = self.releases().into_iter();
        Seen {
            url: router.url(self),
            releases: releases.map(|id| (id, self.release(id))).collect(),
            shares: router.shares(self),
            closed: None,
            ending: false,
            mirrored: None,
        }
    }

    fn release(&self, id: ReleaseId) -> SeenRelease {
        let workload = self.workload(id);
        match workload.map(|workload| whole(&self.kind_of(workload), self.running(id))) {
            None | Some(Whole::Counted) => self.counted(id, workload),
            Some(whole) => self.as_one(id, whole),
        }
    }

    /// Items of a list do not say of what kind they are.
    fn kind_of(&self, workload: &Value) -> Value {
        let mut workload = workload.clone();
        workload["kind"] = self.workload.kind.as_str().into();
        workload
    }

    fn running(&self, id: ReleaseId) -> u64 {
        let pods = self.pods(id).into_iter();
        pods.filter(|pod| pod["status"]["phase"] == "Running")
            .count() as u64
    }

    /// A set that the cluster numbers by itself counts as one replica.
    fn as_one(&self, id: ReleaseId, whole: Whole) -> SeenRelease {
        let pods = self.tally(id).seen_as_wanted();
        let mut failing = pods.failing;
        if let Whole::Failed(says) = &whole {
            failing.insert(
                0,
                Failing {
                    replica: 1,
                    restarts: 0,
                    says: says.clone(),
                },
            );
        }
        let is_ready = whole == Whole::Ready;
        let is_hopeless = pods.ready < pods.wanted && pods.coming == 0;
        if is_ready {
            failing.clear();
        }
        SeenRelease {
            wanted: 1,
            ready: u32::from(is_ready),
            coming: u32::from(whole == Whole::Coming && !is_hopeless),
            leaving: pods.leaving.min(1),
            failing,
            ..SeenRelease::default()
        }
    }

    fn counted(&self, id: ReleaseId, workload: Option<&Value>) -> SeenRelease {
        let wanted = match self.places() {
            Some(places) => places.of_release(id),
            None => workload.map_or(0, |workload| {
                workload["spec"]["replicas"].as_u64().unwrap_or(1) as u32
            }),
        };
        let mut counted = self.tally(id);
        let refused = workload.and_then(|workload| {
            let refusals = self.each(What::Refusals);
            not_made(workload).or_else(|| refused(workload, refusals))
        });
        if let Some(says) = refused {
            counted.not_made(wanted, says);
        }
        counted.seen(wanted)
    }

    fn tally(&self, id: ReleaseId) -> Counted {
        let mut counted = Counted::default();
        for (number, _, standing) in self.standings(id) {
            counted.add(number, standing);
        }
        counted
    }
}
