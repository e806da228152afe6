//! Changes that nobody notices who uses the agent.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Clustered, QUICK, TWO};
use crate::hosts::crowd::Crowd;

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

/// What the old pods still are when the old release is made again.
#[test]
fn a_release_that_comes_back_at_once_is_waited_for() {
    let slow = "run.command = [\"sh\", \"-c\", \"sleep 4; exec python3 /app/agent.py\"]\n";
    let Some(agent) = Clustered::new("back", "") else {
        return;
    };
    let spec = agent.place.read("agent.toml");
    let usual = "run.command = [\"python3\", \"/app/agent.py\"]\n";
    agent.place.write("agent.toml", spec.replace(usual, slow));
    agent.run(&["deploy"]).ends(0);
    agent.spec(TWO);
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    let label = "-l=agentctl.dev/release=r1";
    let pods = agent.namespace.get(&["pods", label]);
    let is_serving = |pod: &&Value| {
        let ready = &pod["status"]["containerStatuses"][0]["ready"];
        pod["metadata"]["deletionTimestamp"].is_null() && *ready == true
    };
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.iter().filter(is_serving).count(), 1, "{pods:?}");
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
