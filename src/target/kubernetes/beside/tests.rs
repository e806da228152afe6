use serde_json::json;

use super::*;

fn pods(all: &[Value]) -> Objects {
    let named = all.iter().enumerate();
    named
        .map(|(at, pod)| (format!("db-{at}"), pod.clone()))
        .collect()
}

fn pod(revision: &str, made: u32, state: &Value) -> Value {
    json!({
        "metadata": {
            "name": "db-0", "uid": revision, "labels": { REVISION: revision },
            "creationTimestamp": format!("2026-11-30T08:00:{made:02}Z"),
        },
        "status": { "phase": "Pending", "containerStatuses": [state] },
    })
}

fn unpulled() -> Value {
    json!({ "image": "db:1", "state": { "waiting": {
        "reason": "ErrImageNeverPull", "message": "absent",
    } } })
}

fn exited(times: u32) -> Value {
    json!({
        "restartCount": times - 1,
        "state": { "terminated": { "exitCode": 1, "reason": "Error" } },
    })
}

fn deployment(status: &Value) -> Value {
    json!({ "metadata": { "generation": 2 }, "status": status })
}

fn set(status: &Value) -> Value {
    let mut set = deployment(status);
    set["status"]["updateRevision"] = json!("new");
    set
}

fn says(stands: Stands) -> String {
    match stands {
        Stands::Well => "well".to_owned(),
        Stands::Comes(why) => format!("comes: {}", why.unwrap_or_default()),
        Stands::Fails(why) => format!("fails: {why}"),
    }
}

#[test]
fn what_the_cluster_has_not_heard_of_yet_is_not_judged() {
    let old = deployment(&json!({
        "observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1,
    }));
    assert_eq!(stands(&old, &pods(&[]), &[]), Stands::Comes(None));
    let heard = deployment(&json!({ "observedGeneration": 2, "readyReplicas": 1 }));
    let before = pods(&[pod("", 1, &unpulled())]);
    assert_eq!(stands(&heard, &before, &[]), Stands::Comes(None));
}

#[test]
fn one_is_well_with_a_new_pod_that_is_ready() {
    let ready = json!({ "observedGeneration": 2, "updatedReplicas": 1, "readyReplicas": 1 });
    assert_eq!(stands(&deployment(&ready), &pods(&[]), &[]), Stands::Well);
    let new = pods(&[pod("new", 1, &json!({}))]);
    assert_eq!(stands(&set(&ready), &new, &[]), Stands::Well);
    let old = pods(&[pod("old", 1, &json!({}))]);
    assert_ne!(stands(&set(&ready), &old, &[]), Stands::Well);
}

#[test]
fn one_that_cannot_get_well_is_told_at_once() {
    let status = json!({ "observedGeneration": 2, "updatedReplicas": 1 });
    let deployment = deployment(&status);
    let of = |state: &Value| says(stands(&deployment, &pods(&[pod("", 1, state)]), &[]));
    assert_eq!(of(&unpulled()), "fails: cannot be started: absent");
    assert_eq!(of(&exited(2)), "comes: exited with status 1");
    assert_eq!(
        of(&exited(3)),
        "fails: exited with status 1, 3 times in a row"
    );
    let refused = json!({ "observedGeneration": 2, "conditions": [
        { "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" },
    ] });
    let refused = stands(&super::tests::deployment(&refused), &pods(&[]), &[]);
    assert_eq!(says(refused), "fails: exceeded quota");
}

#[test]
fn a_set_does_not_replace_what_is_not_ready() {
    let status = json!({ "observedGeneration": 2 });
    let old = pods(&[pod("old", 1, &unpulled())]);
    assert_eq!(
        says(stands(&set(&status), &old, &[])),
        "comes: db-0 is as it was before and not ready, and the cluster does not replace it until \
         it is: kubectl delete pod db-0"
    );
    let both = pods(&[pod("old", 1, &unpulled()), pod("new", 2, &exited(1))]);
    assert_eq!(
        says(stands(&set(&status), &both, &[])),
        "comes: exited with status 1"
    );
}
