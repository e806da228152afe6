use serde_json::json;

use super::*;
use crate::target::SeenRelease;
use crate::target::Traffic;
use crate::target::kubernetes::endpoints::OF_SERVICE;
use crate::target::kubernetes::router;

const OLD: ReleaseId = ReleaseId(1);
const NEW: ReleaseId = ReleaseId(2);

fn labelled(kind: &str, name: &str, release: &str) -> Value {
    json!({
        "kind": kind,
        "metadata": { "name": name, "uid": name, "labels": { RELEASE: release } },
    })
}

fn workload(release: &str, replicas: u32) -> Value {
    let mut workload = labelled("Deployment", &format!("bot-{release}"), release);
    workload["spec"]["replicas"] = json!(replicas);
    workload
}

fn pod(release: &str, name: &str, ready: bool) -> Value {
    let mut pod = labelled("Pod", name, release);
    let status = if ready { "True" } else { "False" };
    pod["status"] = json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": status }],
    });
    pod
}

fn endpoints(service: &str, pods: &[&str]) -> Value {
    let all: Vec<Value> = pods
        .iter()
        .map(|pod| json!({ "targetRef": { "name": pod } }))
        .collect();
    json!({ "metadata": { "name": service }, "subsets": [{ "addresses": all }] })
}

fn slice(service: &str, pods: &[&str]) -> Value {
    let all: Vec<Value> = pods
        .iter()
        .map(|pod| json!({ "targetRef": { "name": pod }, "conditions": { "ready": true } }))
        .collect();
    json!({
        "metadata": { "name": format!("{service}-x7"), "labels": { OF_SERVICE: service } },
        "endpoints": all,
    })
}

fn service(name: &str) -> Value {
    json!({
        "kind": "Service",
        "metadata": { "name": name, "uid": name },
        "spec": { "selector": { NAME: "bot" }, "ports": [{ "port": 8000 }] },
    })
}

fn world() -> Things {
    let mut things = Things::of("bot", "agents");
    things.told(What::Workloads, workload("r1", 2));
    things.told(What::Services, service("bot-r1"));
    for (name, ready) in [("a", true), ("b", true)] {
        things.told(What::Pods, pod("r1", name, ready));
    }
    things
}

fn traffic(shares: &[(ReleaseId, f64)]) -> Traffic {
    let shares = shares.iter();
    Traffic {
        shares: shares
            .map(|(id, share)| (*id, Percent::new(*share).unwrap()))
            .collect(),
        keys: Vec::new(),
        settle: None,
        mirror: None,
        arms: None,
        sticky: false,
    }
}

fn release(things: &Things) -> SeenRelease {
    let seen = things.seen(&*router::of(&[], "bot"));
    seen.releases[&OLD].clone()
}

#[test]
fn only_what_has_no_share_is_left_over_without_replicas() {
    let mut things = world();
    things.told(What::Workloads, workload("r2", 0));
    let emptied = |shares: &[(ReleaseId, f64)]| things.emptied(&traffic(shares).shares);
    assert_eq!(emptied(&[(OLD, 100.0)]), BTreeSet::from([NEW]));
    assert_eq!(emptied(&[(NEW, 100.0)]), BTreeSet::new());
    assert_eq!(emptied(&[]), BTreeSet::new());
}

#[test]
fn a_replica_counts_once_its_service_sends_to_it() {
    for reached in [endpoints("bot-r1", &["a"]), slice("bot-r1", &["a"])] {
        let mut things = world();
        things.told(What::Endpoints, reached);
        let seen = release(&things);
        assert_eq!((seen.wanted, seen.ready, seen.coming), (2, 1, 1));
    }
}

#[test]
fn what_nobody_can_mend_is_not_coming() {
    let mut things = world();
    let mut broken = pod("r1", "b", false);
    broken["status"]["containerStatuses"] = json!([{
        "image": "bot@sha256:0",
        "state": { "waiting": { "reason": "ImagePullBackOff", "message": "not found" } },
    }]);
    things.told(What::Pods, broken);
    things.told(What::Endpoints, endpoints("bot-r1", &["a"]));
    let seen = release(&things);
    assert_eq!((seen.ready, seen.coming), (1, 0));
    let failing = &seen.failing[0];
    assert_eq!((failing.replica, failing.restarts), (2, 0));
    assert_eq!(failing.says, "cannot pull bot@sha256:0: not found");
}

#[test]
fn a_quota_is_told_with_the_clusters_words() {
    let mut things = world();
    let mut refused = workload("r1", 3);
    refused["status"]["conditions"] = json!([{
        "type": "ReplicaFailure", "status": "True",
        "message": "pods \"bot\" is forbidden: exceeded quota: small",
    }]);
    things.told(What::Workloads, refused);
    things.told(What::Endpoints, endpoints("bot-r1", &["a", "b"]));
    let seen = release(&things);
    assert_eq!((seen.ready, seen.coming), (2, 0));
    assert!(seen.failing[0].says.ends_with("exceeded quota: small"));
}

#[test]
fn pods_that_the_cluster_numbers_are_not_leaving() {
    let mut things = world();
    things.workload.kind = "Job".to_owned();
    let mut job = labelled("Job", "bot-r1", "r1");
    job["spec"]["completions"] = json!(2);
    things.told(What::Workloads, job);
    let seen = release(&things);
    assert_eq!((seen.wanted, seen.ready, seen.leaving), (1, 1, 0));
    let mut leaving = pod("r1", "b", true);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    things.told(What::Pods, leaving);
    assert_eq!(release(&things).leaving, 1);
}

#[test]
fn a_service_without_what_makes_replicas_is_left_over() {
    let mut things = world();
    let service = labelled("Service", "bot-r1", "r1");
    things.told(What::Services, service);
    assert!(things.left().is_empty());
    things.bury(What::Workloads, "bot-r1");
    let mut leaving = pod("r1", "b", true);
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    things.told(What::Pods, leaving);
    assert_eq!(things.left(), BTreeSet::from([OLD]));
}

#[test]
fn what_stands_tells_which_release_is_made_so() {
    let mut things = world();
    assert!(things.makes(OLD) && !things.makes(NEW));
    things.told(What::Pods, pod("r2", "c", true));
    assert!(!things.makes(NEW));
}

#[test]
fn what_was_deleted_here_does_not_come_back_by_old_news() {
    let mut things = world();
    things.bury(What::Workloads, "bot-r1");
    things.take_in(What::Workloads, Change::Put(workload("r1", 2)));
    assert!(things.workload(OLD).is_none());
}

#[test]
fn pods_of_a_deleted_workload_are_nobodys_until_they_leave() {
    let mut things = world();
    assert!(!things.has_orphans(OLD, "bot-r1"));
    things.bury(What::Workloads, "bot-r1");
    assert!(things.has_orphans(OLD, "bot-r1"));
    assert!(!things.has_orphans(NEW, "bot-r2"));
    for name in ["a", "b"] {
        assert!(things.has_orphans(OLD, "bot-r1"), "{name}");
        let mut leaving = pod("r1", name, true);
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        things.told(What::Pods, leaving);
    }
    assert!(!things.has_orphans(OLD, "bot-r1"));
}

#[test]
fn what_somebody_deletes_is_lost_once_its_pods_leave_and_until_it_is_back() {
    let mut things = world();
    things.take_in(What::Workloads, Change::All(vec![workload("r1", 2)]));
    assert_eq!(things.lost(OLD), None);
    things.take_in(What::Workloads, Change::Gone(workload("r1", 2)));
    assert_eq!(things.lost(OLD), None);
    for name in ["a", "b"] {
        let mut leaving = pod("r1", name, true);
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        things.told(What::Pods, leaving);
    }
    assert_eq!(things.lost(OLD), Some(2));
    things.told(What::Workloads, workload("r1", 2));
    assert_eq!(things.lost(OLD), None);
}

#[test]
fn fewer_replicas_than_were_ordered_are_lost_and_more_are_not() {
    let mut things = world();
    things.told(What::Workloads, workload("r2", 2));
    for (replicas, lost) in [(0, Some(2)), (1, Some(2)), (2, None), (3, None)] {
        things.take_in(What::Workloads, Change::Put(workload("r2", replicas)));
        assert_eq!(things.lost(NEW), lost, "{replicas}");
    }
}

#[test]
fn what_was_deleted_here_is_not_lost() {
    let mut things = world();
    let mut ours = workload("r2", 2);
    ours["metadata"]["uid"] = json!("ours");
    things.told(What::Workloads, ours.clone());
    things.bury(What::Workloads, "bot-r2");
    things.take_in(What::Workloads, Change::Gone(ours));
    assert_eq!(things.lost(NEW), None);
}

/// Clusters before 1.21 keep what somebody adds to it.
#[test]
fn a_service_that_somebody_lets_select_otherwise_has_the_shares_that_it_serves() {
    let router = router::of(&[], "bot");
    let mut things = world();
    let both = router.objects(
        &[service("bot")],
        &things,
        &traffic(&[(OLD, 50.0), (NEW, 50.0)]),
    );
    let mut shares = |selector: Value| {
        let mut service = both[0].1.clone();
        service["spec"]["selector"] = selector;
        things.told(What::Services, service);
        things.seen(&*router).shares
    };
    assert_eq!(shares(json!({ NAME: "bot" })).len(), 2);
    let narrowed = shares(json!({ NAME: "bot", RELEASE: "r1" }));
    assert_eq!(narrowed, traffic(&[(OLD, 100.0)]).shares);
    for nobody in [
        json!({ NAME: "bot", "tier": "web" }),
        json!({ "a": "b" }),
        json!({}),
    ] {
        assert!(shares(nobody.clone()).is_empty(), "{nobody}");
    }
}

#[test]
fn two_releases_are_served_although_an_earlier_rollout_left_one() {
    let router = router::of(&[], "bot");
    let mut things = world();
    things.told(What::Workloads, workload("r2", 1));
    things.told(What::Pods, pod("r2", "c", true));
    things.told(What::Workloads, workload("r3", 1));
    things.told(What::Pods, pod("r3", "d", true));
    things.told(What::Endpoints, endpoints("bot", &["a", "b", "c", "d"]));
    let newest: ReleaseId = "r3".parse().unwrap();
    assert!(router.is_confirmed(&things, &traffic(&[(OLD, 50.0), (newest, 50.0)])));
    assert!(!router.is_confirmed(&things, &traffic(&[(newest, 100.0)])));
}

#[test]
fn a_daemon_whose_pod_nobody_can_mend_is_not_coming() {
    let mut things = world();
    things.workload.kind = "DaemonSet".to_owned();
    let mut set = labelled("DaemonSet", "bot-r2", "r2");
    set["status"] = json!({ "desiredNumberScheduled": 1 });
    set["metadata"]["generation"] = json!(1);
    things.told(What::Workloads, set);
    let mut stuck = pod("r2", "c", false);
    stuck["status"]["containerStatuses"] = json!([{
        "name": "bot", "state": { "waiting": { "reason": "ImagePullBackOff", "message": "not found" } },
    }]);
    things.told(What::Pods, stuck);
    let seen = &things.seen(&*router::of(&[], "bot")).releases[&NEW];
    assert_eq!((seen.wanted, seen.ready, seen.coming), (1, 0, 0));
}

#[test]
fn a_service_selects_one_release_or_all() {
    let router = router::of(&[], "bot");
    let kept = [service("bot")];
    let mut things = world();
    let one = router.objects(&kept, &things, &traffic(&[(NEW, 100.0)]));
    assert_eq!(one[0].1["spec"]["selector"][RELEASE], "r2");
    let both = router.objects(&kept, &things, &traffic(&[(OLD, 75.0), (NEW, 25.0)]));
    assert!(both[0].1["spec"]["selector"][RELEASE].is_null());
    things.told(What::Services, both[0].1.clone());
    let shares = things.seen(&*router).shares;
    assert_eq!(shares, traffic(&[(OLD, 75.0), (NEW, 25.0)]).shares);
    assert_eq!(
        things.seen(&*router).url.as_deref(),
        Some("http://bot.agents.svc:8000")
    );
}

#[test]
fn a_split_is_confirmed_once_requests_follow_it() {
    let router = router::of(&[], "bot");
    let mut things = world();
    things.told(What::Workloads, workload("r2", 1));
    things.told(What::Pods, pod("r2", "c", true));
    things.told(What::Endpoints, endpoints("bot-r1", &["a", "b"]));
    let to_new = traffic(&[(NEW, 100.0)]);
    let cases: [(&[&str], bool); 4] = [
        (&["a", "b"], false),
        (&["a", "b", "c"], false),
        (&[], false),
        (&["c"], true),
    ];
    for (reached, is_so) in cases {
        things.told(What::Endpoints, endpoints("bot", reached));
        assert_eq!(router.is_confirmed(&things, &to_new), is_so, "{reached:?}");
    }
}
