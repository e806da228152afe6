//! How the pods of one release stand, taken together. Pure.

use serde_json::Value;

use super::cluster::MANAGER;
use super::pods::Standing;
use crate::target::{Failing, SeenRelease};

/// The cluster was busy, or two were at it at once; it makes the pods a moment later.
const PASSING: [&str; 3] = [
    "please try again",
    "could not be completed at this time",
    "Operation cannot be fulfilled",
];

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

    /// As many are wanted as there are: the cluster numbers them.
    pub(super) fn seen_as_wanted(self) -> SeenRelease {
        let wanted = self.alive;
        self.seen(wanted)
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
    lasting(&failure["message"])
}

/// What keeps the cluster from making pods of a set as it was applied last; a set's state does not tell.
pub(super) fn refused<'a>(
    set: &Value,
    warnings: impl Iterator<Item = &'a Value>,
) -> Option<String> {
    let managers = set["metadata"]["managedFields"].as_array()?;
    let ours = managers.iter().filter(|one| one["manager"] == MANAGER);
    let applied = ours.filter_map(|one| one["time"].as_str()).max()?;
    let at = |event: &&Value| {
        event["lastTimestamp"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let failed = warnings.filter(|event| event["reason"] == "FailedCreate");
    let last = failed
        .filter(|event| at(event).as_str() >= applied)
        .max_by_key(at)?;
    lasting(&last["message"])
}

/// What the cluster will say the next time too.
fn lasting(message: &Value) -> Option<String> {
    let says = message.as_str()?;
    let is_passing = PASSING.iter().any(|part| says.contains(part));
    (!is_passing).then(|| says.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_came_after_the_set_was_applied_keeps_its_pods_from_being_made() {
        let set = json!({ "metadata": { "managedFields": [
            { "manager": MANAGER, "time": "2026-01-01T00:00:10Z" },
            { "manager": "kube-controller-manager", "time": "2026-01-01T00:00:30Z" },
        ] } });
        let failed =
            |at: &str| json!({ "reason": "FailedCreate", "message": at, "lastTimestamp": at });
        let (old, new) = (
            failed("2026-01-01T00:00:09Z"),
            failed("2026-01-01T00:00:10Z"),
        );
        assert_eq!(refused(&set, [&old].into_iter()), None);
        let says = refused(&set, [&old, &new].into_iter());
        assert_eq!(says.as_deref(), Some("2026-01-01T00:00:10Z"));
        let mut busy = new.clone();
        for says in [
            "Internal error: the operation could not be completed at this time, please try again",
            "Operation cannot be fulfilled on resourcequotas: the object has been modified",
        ] {
            busy["message"] = json!(says);
            assert_eq!(refused(&set, [&busy].into_iter()), None);
        }
    }
}
