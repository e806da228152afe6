//! What a change shows before it is made, and what ends and goes.

use serde_json::Value;

use super::{Clustered, TWO};

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
