//! Workloads whose pods the cluster numbers by itself, as one: a set on every node, a job, a schedule.
//! Pure.

use serde_json::Value;

/// How the whole of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// Its pods are counted one by one.
    Counted,
    Ready,
    Coming,
    Failed(String),
}

/// `running`: how many of its pods run.
pub(super) fn whole(workload: &Value, running: u64) -> Whole {
    match workload["kind"].as_str() {
        Some("DaemonSet") => daemon_set(workload),
        Some("Job") => job(workload, running),
        // It waits for its time.
        Some("CronJob") => Whole::Ready,
        _ => Whole::Counted,
    }
}

fn daemon_set(workload: &Value) -> Whole {
    let status = &workload["status"];
    let count = |field: &str| status[field].as_u64().unwrap_or(0);
    let is_heard = status["observedGeneration"] == workload["metadata"]["generation"];
    let wanted = count("desiredNumberScheduled");
    let is_there = count("updatedNumberScheduled") >= wanted && count("numberAvailable") >= wanted;
    match is_heard && is_there {
        true if wanted == 0 => Whole::Failed("is on no node: none has its labels".to_owned()),
        true => Whole::Ready,
        false => Whole::Coming,
    }
}

/// Its work has begun everywhere, or is done.
fn job(workload: &Value, running: u64) -> Whole {
    let status = &workload["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut failed = conditions.filter(|one| one["type"] == "Failed" && one["status"] == "True");
    if let Some(failed) = failed.next() {
        let says = failed["message"].as_str().unwrap_or("it failed");
        return Whole::Failed(format!("did not do its work: {says}"));
    }
    let wanted = workload["spec"]["completions"].as_u64().unwrap_or(1);
    let done = status["succeeded"].as_u64().unwrap_or(0);
    match done + running >= wanted {
        true => Whole::Ready,
        false => Whole::Coming,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_set_is_ready_when_each_node_has_the_new_one() {
        let set = |generation: u32, updated: u32| {
            json!({
                "kind": "DaemonSet",
                "metadata": { "generation": 2 },
                "status": {
                    "observedGeneration": generation, "desiredNumberScheduled": 2,
                    "updatedNumberScheduled": updated, "numberAvailable": 2,
                },
            })
        };
        assert_eq!(whole(&set(2, 2), 0), Whole::Ready);
        assert_eq!(whole(&set(2, 1), 0), Whole::Coming);
        assert_eq!(whole(&set(1, 2), 0), Whole::Coming);
        let mut nowhere = set(2, 0);
        nowhere["status"]["desiredNumberScheduled"] = json!(0);
        assert!(matches!(whole(&nowhere, 0), Whole::Failed(_)));
    }

    #[test]
    fn a_job_is_ready_when_it_works_and_when_it_is_done() {
        let job = |status: Value| json!({ "kind": "Job", "spec": { "completions": 2 }, "status": status });
        assert_eq!(whole(&job(json!({})), 0), Whole::Coming);
        assert_eq!(whole(&job(json!({ "succeeded": 1 })), 1), Whole::Ready);
        let failed = json!({ "conditions": [
            { "type": "Failed", "status": "True", "message": "BackoffLimitExceeded" },
        ] });
        assert_eq!(
            whole(&job(failed), 0),
            Whole::Failed("did not do its work: BackoffLimitExceeded".to_owned())
        );
    }
}
