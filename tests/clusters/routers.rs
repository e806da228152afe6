//! Routes by weight. No controller of them runs here: the tests say what one would, and look at what
//! agentctl applied.

use serde_json::{Value, json};

use super::{Clustered, TWO};
use crate::support::crds::{GATEWAY, ISTIO};
use crate::support::eventually;

const CANARY: &str = "rollout.strategy = \"canary\"\n\
                      rollout.steps = [{ weight = 5, hold = \"1h\" }, { weight = 100 }]\n";

/// What a controller that follows the route would say of it.
fn accept(agent: &Clustered) {
    let route = agent.namespace.get(&["httproute", "bot"]);
    let generation = &route["metadata"]["generation"];
    let condition = |kind: &str| {
        json!({
            "type": kind, "status": "True", "reason": kind, "message": "",
            "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let parent = json!({
        "parentRef": { "name": "front" }, "controllerName": "example.com/tests",
        "conditions": [condition("Accepted"), condition("ResolvedRefs")],
    });
    let mut route = route.clone();
    route["status"] = json!({ "parents": [parent] });
    let path = format!(
        "/apis/gateway.networking.k8s.io/v1/namespaces/{}/httproutes/bot/status",
        agent.namespace.name
    );
    agent.cluster().replace(&path, &route).unwrap();
}

/// Who gets which weight.
fn weights(agent: &Clustered, kind: &str, backends: &str, name: &str) -> Vec<(String, u64)> {
    let route = agent.namespace.get(&[kind, "bot"]);
    let backends = route
        .pointer(backends)
        .and_then(Value::as_array)
        .unwrap()
        .iter();
    backends
        .map(|backend| {
            let name = backend.pointer(name).and_then(Value::as_str).unwrap();
            (name.to_owned(), backend["weight"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn a_gateway_is_waited_for_until_it_follows() {
    let gateway = "run.replicas = 1\nnetwork.gateway = \"front\"\n";
    let Some(agent) = Clustered::new("gateway", gateway) else {
        return;
    };
    agent.cluster().serves(&GATEWAY);
    let first = agent.start(&["deploy"]);
    let route = || agent.names("httproutes") == ["bot"];
    eventually("there is a route", route);
    accept(&agent);
    first.wait().ends(0).says("r1 is live");
    agent.spec(&format!("{gateway}{TWO}{CANARY}"));
    let mut deploy = agent.start(&["deploy"]);
    let of = |weights: [(&str, u64); 2]| weights.map(|(name, weight)| (name.to_owned(), weight));
    let backends = || weights(&agent, "httproute", "/spec/rules/0/backendRefs", "/name");
    eventually("the weights are there", || {
        backends() == of([("bot-r1", 95), ("bot-r2", 5)])
    });
    assert!(deploy.is_running());
    accept(&agent);
    deploy.until("holding at 5 %");
    let abort = agent.start(&["abort"]);
    eventually("all goes back", || {
        backends() == [("bot-r1".to_owned(), 100)]
    });
    accept(&agent);
    abort.wait().ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
}

#[test]
fn istio_and_nginx_get_their_weights() {
    let Some(agent) = Clustered::new("istio", "network.router = \"istio\"\n") else {
        return;
    };
    agent.cluster().serves(&ISTIO);
    agent.run(&["deploy"]).ends(0).says("r1 is live");
    agent.spec(&format!("network.router = \"istio\"\n{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 5 %");
    let shares = weights(
        &agent,
        "virtualservice",
        "/spec/http/0/route",
        "/destination/host",
    );
    assert_eq!(
        shares,
        [("bot-r1".to_owned(), 95), ("bot-r2".to_owned(), 5)]
    );
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent.whole("r1", 1);
}

#[test]
fn nginx_has_a_canary_with_the_share() {
    let nginx = "network.router = \"nginx\"\nnetwork.host = \"bot.example.com\"\n";
    let Some(agent) = Clustered::deployed("nginx", nginx) else {
        return;
    };
    agent.spec(&format!("{nginx}{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 5 %");
    let canary = agent.namespace.get(&["ingress", "bot-candidate"]);
    let annotations = &canary["metadata"]["annotations"];
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-weight"],
        "5"
    );
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent
        .run(&["status"])
        .ends(0)
        .says("http://bot.example.com");
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    assert_eq!(agent.names("ingresses"), [""; 0]);
}
