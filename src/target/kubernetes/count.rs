//! How the pods of one release stand, taken together. Pure.

use serde_json::Value;

use super::pods::Standing;
use crate::target::{Failing, SeenRelease};

/// The pods of one release.
#[derive(Default)]
pub(super) struct Counted {
    alive: u32,
    ready: u32,
    leaving: u32,
    hopeless: u32,
    failing: Vec<Failing>,
}

impl Counted {
    pub(super) fn add(&mut self, replica: u32, standing: Standing) {
        self.alive += u32::from(!matches!(standing, Standing::Leaving | Standing::Over));
        let (restarts, says) = match standing {
            Standing::Ready => return self.ready += 1,
            Standing::Leaving => return self.leaving += 1,
            Standing::Over | Standing::Coming(None) => return,
            Standing::Coming(Some(says)) => (0, says),
            Standing::Exits(times, says) => (times, says),
            Standing::Hopeless(says) => {
                self.hopeless += 1;
                (0, says)
            }
        };
        self.failing.push(Failing {
            replica,
            restarts,
            says,
        });
    }

    /// The cluster refuses to make those that are missing. What leaves may still hold their room.
    pub(super) fn not_made(&mut self, wanted: u32, says: String) {
        let missing = wanted.saturating_sub(self.alive);
        if missing == 0 {
            return;
        }
        if self.leaving == 0 {
            self.hopeless += missing;
        }
        self.failing.push(Failing {
            replica: self.alive + 1,
            restarts: 0,
            says: format!("is not made: {says}"),
        });
    }

    /// What is ready beyond what is wanted is about to leave.
    pub(super) fn seen(self, wanted: u32) -> SeenRelease {
        let ready = self.ready.min(wanted);
        SeenRelease {
            wanted,
            ready,
            coming: wanted.saturating_sub(ready + self.hopeless),
            leaving: self.leaving + (self.ready - ready),
            failing: self.failing,
            ..SeenRelease::default()
        }
    }
}

/// What keeps the cluster from making pods: a quota, a rule of its own.
pub(super) fn not_made(workload: &Value) -> Option<String> {
    let conditions = workload["status"]["conditions"].as_array()?;
    let is_it = |one: &&Value| one["type"] == "ReplicaFailure" && one["status"] == "True";
    let failure = conditions.iter().find(is_it)?;
    Some(failure["message"].as_str()?.to_owned())
}
