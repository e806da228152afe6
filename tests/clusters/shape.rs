//! Another kind, or another router, waits until nothing runs.

use serde_json::json;

use super::{Clustered, TWO};
use crate::support::eventually;

const WORKER: &str = "agent.kind = \"worker\"\n";
const NGINX: &str = "network.router = \"nginx\"\nnetwork.host = \"bot.example.com\"\n";

/// What an older agentctl left of another kind: labelled as its own.
fn left_over(agent: &Clustered) {
    let label = json!({ "app.kubernetes.io/name": "bot", "agentctl.dev/release": "r1" });
    let mut labels = label.clone();
    labels["app.kubernetes.io/managed-by"] = json!("agentctl");
    let container = json!({ "name": "bot", "image": agent.image });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "bot", "labels": labels },
        "spec": {
            "replicas": 1, "serviceName": "bot-replicas", "selector": { "matchLabels": label },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [container], "terminationGracePeriodSeconds": 1 },
            },
        },
    });
    agent.place.write("set.json", set.to_string());
    let file = agent.place.path("set.json").display().to_string();
    agent.namespace.kubectl(&["create", "-f", &file]).unwrap();
    eventually("its pod", || {
        agent.names("pods").contains(&"bot-0".to_owned())
    });
}

#[test]
fn another_kind_waits_until_nothing_runs() {
    let Some(agent) = Clustered::deployed("kinds", WORKER) else {
        return;
    };
    agent.spec(&format!("agent.kind = \"daemon\"\n{TWO}"));
    for verb in ["plan", "deploy"] {
        agent
            .run(&[verb])
            .ends(2)
            .says("error: bot (prod) cannot change from the kind worker to daemon while it runs")
            .says("hint: agentctl stop -e prod ends it, and then agentctl deploy -e prod");
    }
    agent.whole("r1", 1);
    left_over(&agent);
    agent.run(&["stop", "--now"]).ends(0);
    assert_eq!(agent.names("deployments,statefulsets,services"), [""; 0]);
    // Nobody calls it, and nothing splits what nobody sends.
    let plan = agent.run(&["plan"]).ends(0);
    let said = format!("{}{}", plan.stdout, plan.stderr);
    assert!(!said.contains("requests are split"), "{said}");
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    agent
        .run(&["rollback"])
        .ends(2)
        .says("from the kind daemon to worker")
        .says("agentctl rollback --to r1 -e prod");
    agent.run(&["stop", "--now"]).ends(0);
    // The newest release is of another kind than the one that runs.
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    agent.whole("r1", 1);
}

#[test]
fn another_router_waits_until_nothing_runs() {
    let Some(agent) = Clustered::deployed("routed", NGINX) else {
        return;
    };
    agent.spec(TWO);
    for verb in ["plan", "deploy"] {
        agent
            .run(&[verb])
            .ends(2)
            .says("cannot change from the router nginx to service while it runs")
            .says("network.router = \"nginx\" keeps the one that it has");
    }
    agent.run(&["stop", "--now"]).ends(0);
    assert_eq!(agent.names("ingresses,services"), [""; 0]);
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    agent.run(&["rollback"]).ends(2).says("service to nginx");
    agent.whole("r2", 1);
}
