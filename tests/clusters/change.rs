//! Changes that nobody notices who uses the agent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Clustered, QUICK, TWO};
use crate::hosts::crowd::Crowd;
use crate::support::{Background, CANARY, eventually};

/// It answers what it was asked before it goes.
const USUAL: &str = "run.replicas = 2\nrun.env.LEAVES_WITHIN = \"5\"\n";

#[test]
fn nothing_is_failed_while_releases_change() {
    let Some(agent) = Clustered::deployed("unnoticed", USUAL) else {
        return;
    };
    let Some(address) = agent.address() else {
        return;
    };
    let _alone = agent.cluster().alone();
    let crowd = Crowd::at(address, 3);
    agent.spec(&format!("{USUAL}{TWO}{QUICK}"));
    agent
        .run(&["deploy"])
        .ends(0)
        .says("traffic   r2 50 %, r1 50 %")
        .says("r2 is live");
    // Until then a connection may stay where it is.
    agent.whole("r2", 2);
    agent.run(&["deploy"]).ends(0).says("nothing changed");
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    agent.whole("r1", 2);
    agent.spec(&format!("{USUAL}run.env.ANSWER = \"three\"\n"));
    agent.run(&["deploy"]).ends(0).says("r3 is live");
    agent.whole("r3", 2);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
    let all = ["r1", "r2", "r3"].map(str::to_owned);
    assert_eq!(met.releases, BTreeSet::from(all));
}

/// Its old pods are alive and ready until the cluster marks them, which takes its time here.
#[test]
fn a_release_that_comes_back_has_pods_of_its_own() {
    let Some(agent) = Clustered::deployed("back", "") else {
        return;
    };
    let held = |finalizers: Value| {
        let set = &agent.names("replicasets")[0];
        let patch = json!({ "metadata": { "finalizers": finalizers } }).to_string();
        let patch = ["patch", "replicaset", set, "--type=merge", "-p", &patch];
        agent.namespace.kubectl(&patch).unwrap();
    };
    held(json!(["agentctl.dev/held"]));
    agent.spec(TWO);
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    let rollback = agent.start(&["rollback"]);
    rollback.until("r2 → r1");
    for _ in 0..10 {
        assert_eq!(agent.names("deployments"), ["bot-r2"]);
    }
    held(json!([]));
    rollback.wait().ends(0).says("r1 is live");
    agent.whole("r1", 1);
}

#[test]
fn a_plan_shows_what_changes_and_changes_nothing() {
    let Some(agent) = Clustered::deployed("shown", "") else {
        return;
    };
    let before = agent.namespace.get(&["configmaps,services,deployments"]);
    agent.spec(TWO);
    agent
        .run(&["plan", "--save", "plan.json"])
        .ends(0)
        .says("r1 → r2");
    let after = agent.namespace.get(&["configmaps,services,deployments"]);
    let versions = |list: &Value| {
        let items = list["items"].as_array().unwrap().clone();
        let versions = items.into_iter().map(|item| {
            (
                item["metadata"]["name"].clone(),
                item["metadata"]["generation"].clone(),
            )
        });
        versions.collect::<Vec<_>>()
    };
    assert_eq!(versions(&before), versions(&after));
    agent
        .run(&["deploy", "--plan", "plan.json"])
        .ends(0)
        .says("r2 is live");
    agent
        .run(&["deploy", "--plan", "plan.json"])
        .ends(2)
        .says("rollout 2 was walked since");
    agent.whole("r2", 1);
    let moved = agent.place.read("agent.toml");
    let moved = moved.replace("run.port = 8000", "run.port = 9000");
    agent.place.write("agent.toml", moved);
    agent
        .run(&["plan"])
        .ends(0)
        .says("~ Service bot")
        .says("spec.ports.http.port: 8000 → 9000");
}

#[test]
fn stopping_and_removing_leave_nothing() {
    let Some(agent) = Clustered::deployed("removed", "") else {
        return;
    };
    agent.run(&["status"]).ends(0).says("r1");
    agent.run(&["logs"]).ends(0).says("agent r1 starts");
    agent.run(&["history"]).ends(0).says("first deploy");
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    for kind in ["deployments", "services", "configmaps", "leases", "secrets"] {
        assert_eq!(agent.names(kind), [""; 0], "{kind}");
    }
}

/// Another release has half of the requests, for an hour.
fn held(agent: &Clustered) -> Background {
    agent.spec(&format!("{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 50 %");
    deploy
}

fn undone(agent: &Clustered, deploy: Background) {
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent.whole("r1", 1);
}

#[test]
fn a_service_that_was_deleted_in_mid_rollout_comes_back() {
    let Some(agent) = Clustered::deployed("deleted", "") else {
        return;
    };
    let deploy = held(&agent);
    let delete = ["delete", "service", "bot"];
    agent.namespace.kubectl(&delete).unwrap();
    eventually("the Service", || {
        agent.names("services").contains(&"bot".to_owned())
    });
    undone(&agent, deploy);
    agent.namespace.kubectl(&delete).unwrap();
    let status = agent.run(&["status"]).ends(0);
    assert!(status.stdout.contains("next: nothing sends it requests"));
    agent.spec("");
    agent.run(&["deploy"]).ends(0);
    agent.whole("r1", 1);
}

#[test]
fn what_somebody_changes_in_a_hold_is_put_back() {
    let Some(agent) = Clustered::deployed("changed", "") else {
        return;
    };
    let deploy = held(&agent);
    let selector = || agent.namespace.get(&["service", "bot"])["spec"]["selector"].clone();
    let before = selector();
    for change in [
        "tier=web",
        "agentctl.dev/release=r1,app.kubernetes.io/name=bot",
    ] {
        let select = ["set", "selector", "service", "bot", change];
        agent.namespace.kubectl(&select).unwrap();
        eventually("what the Service selects", || selector() == before);
    }
    let scale = ["scale", "deployment", "bot-r1", "--replicas=0"];
    agent.namespace.kubectl(&scale).unwrap();
    eventually("the replicas", || {
        agent.namespace.get(&["deployment", "bot-r1"])["spec"]["replicas"] == 1
    });
    undone(&agent, deploy);
}

#[test]
fn replicas_that_somebody_deletes_in_a_hold_come_back() {
    let Some(agent) = Clustered::deployed("lost", "") else {
        return;
    };
    let deploy = held(&agent);
    let delete = ["delete", "deployment", "bot-r1"];
    agent.namespace.kubectl(&delete).unwrap();
    eventually("the Deployment", || {
        agent.names("deployments").contains(&"bot-r1".to_owned())
    });
    undone(&agent, deploy);
}

/// A node has one pod of it, so the old one's time to leave comes before the new one's to start.
#[test]
fn a_pod_that_leaves_slowly_does_not_make_its_successor_late() {
    let slow = "agent.kind = \"daemon\"\nrun.env.IGNORE_TERM = \"1\"\ndrain.grace = \"25s\"\n\
                health.ready = \"/ready\"\nhealth.startup.within = \"10s\"\n";
    let Some(agent) = Clustered::deployed("slowly", slow) else {
        return;
    };
    agent.spec(&format!("{slow}{TWO}"));
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    agent.run(&["stop", "--now"]).ends(0);
}

#[test]
fn bounds_of_a_scaler_change_without_a_rollout_and_it_is_said() {
    let scaled = |max: u32| {
        format!(
            "scale.max = {max}\nscale.by = \"hpa\"\nscale.cpu = 60\nrun.resources.cpu = \"10m\"\n"
        )
    };
    let Some(agent) = Clustered::deployed("bounds", &scaled(5)) else {
        return;
    };
    let most = || agent.namespace.get(&["hpa", "bot-r1"])["spec"]["maxReplicas"].clone();
    agent.run(&["deploy"]).ends(0).says("nothing changed: r1");
    agent.spec(&scaled(7));
    for (verb, before) in [("plan", 5), ("deploy", 5)] {
        assert_eq!(most(), before);
        agent
            .run(&[verb])
            .ends(0)
            .says("~ HorizontalPodAutoscaler bot-r1")
            .says("spec.maxReplicas: 5 → 7")
            .says("nothing else changed: r1");
    }
    assert_eq!(most(), 7);
    agent.run(&["deploy"]).ends(0).says("nothing changed: r1");
}
