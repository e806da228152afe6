//! Routes by weight. No controller of them runs here: the tests look at what agentctl applied, and
//! say in a controller's place what it waits for.

use serde_json::{Value, json};

use super::{Clustered, TWO};
use crate::support::eventually;

const GATEWAY: &str = "network.gateway = \"edge/public\"\nnetwork.host = \"bot.example.com\"\n";
const CANARY: &str = "rollout.strategy = \"canary\"\n\
                      rollout.steps = [{ weight = 5, hold = \"1h\" }, { weight = 100 }]\n";

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

/// Who gets requests that say nothing, by their weights.
fn backends(route: &Value) -> Vec<(String, u64)> {
    let rules = route["spec"]["rules"].as_array().unwrap();
    let backends = rules.last().unwrap()["backendRefs"].as_array().unwrap();
    let weight = |backend: &Value| {
        let name = backend["name"].as_str().unwrap().to_owned();
        (name, backend["weight"].as_u64().unwrap_or(1))
    };
    backends.iter().map(weight).collect()
}

/// As whoever runs the Gateway: says of the route, once it has these backends, that it is followed.
fn follow(agent: &Clustered, wanted: &[(&str, u64)]) {
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(name, weight)| ((*name).to_owned(), *weight))
        .collect();
    follow_once(agent, |route| backends(route) == wanted);
}

/// The route as it is then.
fn follow_once(agent: &Clustered, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut route = Value::Null;
    eventually("the route is as it has to be", || {
        let found = agent.namespace.get(&["httproutes"]);
        route = found["items"][0].clone();
        !route.is_null() && is_so(&route)
    });
    let generation = &route["metadata"]["generation"];
    let condition = |name: &str| json!({ "type": name, "status": "True", "reason": name, "observedGeneration": generation });
    let parent = &route["spec"]["parentRefs"][0];
    let told = json!({ "parentRef": parent, "conditions": [condition("Accepted"), condition("ResolvedRefs")] });
    route["status"] = json!({ "parents": [told] });
    agent.says_of("gateway.networking.k8s.io/v1", "httproutes", &route);
    route
}

/// Traffic has moved when the Gateway says that it follows the route as it is.
#[test]
fn a_gateway_is_waited_for() {
    let Some(agent) = Clustered::new("gateway", GATEWAY) else {
        return;
    };
    agent.serves_more();
    let first = agent.start(&["deploy"]);
    follow(&agent, &[("bot-r1", 100)]);
    first.wait().ends(0).says("http://bot.example.com");
    agent.spec(&format!("{GATEWAY}{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    follow(&agent, &[("bot-r1", 95), ("bot-r2", 5)]);
    deploy.until("holding at 5 %");
    let abort = agent.start(&["abort"]);
    follow(&agent, &[("bot-r1", 100)]);
    abort.wait().ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent.whole("r1", 1);
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    assert_eq!(agent.names("httproutes"), [""; 0]);
}

/// An agent behind a Gateway, as first deployed.
fn behind_a_gateway(test: &str) -> Option<Clustered> {
    let agent = Clustered::new(test, GATEWAY)?;
    agent.serves_more();
    let first = agent.start(&["deploy"]);
    follow(&agent, &[("bot-r1", 100)]);
    first.wait().ends(0);
    Some(agent)
}

/// The candidate has no share while it gets copies, and the route nothing of them afterwards.
#[test]
fn a_gateway_copies_requests() {
    let Some(agent) = behind_a_gateway("copies") else {
        return;
    };
    let shadow = "rollout.strategy = \"shadow\"\nrollout.mirror = 20\n\
                  rollout.shadow.hold = \"1s\"\n";
    agent.spec(&format!("{GATEWAY}{TWO}{shadow}"));
    let deploy = agent.start(&["deploy"]);
    let has_copies = |route: &Value| route.to_string().contains("requestMirror");
    let route = follow_once(&agent, has_copies);
    assert_eq!(backends(&route), [("bot-r1".to_owned(), 100)]);
    let copied = &route["spec"]["rules"][0]["filters"][0]["requestMirror"];
    let to = json!({ "backendRef": { "name": "bot-r2", "port": 8000 }, "percent": 20 });
    assert_eq!(copied, &to);
    follow(&agent, &[("bot-r2", 100)]);
    deploy.wait().ends(0).says("r2");
    let found = agent.namespace.get(&["httproutes", "bot"]);
    assert!(!has_copies(&found["spec"]), "{found}");
    agent.whole("r2", 1);
}

/// Until a person decides, who says so gets the candidate, and nobody else.
#[test]
fn a_gateway_tells_arms_apart() {
    let Some(agent) = behind_a_gateway("arms") else {
        return;
    };
    let ab = "rollout.strategy = \"ab\"\nrollout.match = [\"header:X-Beta=true\"]\n";
    agent.spec(&format!("{GATEWAY}{TWO}{ab}"));
    let deploy = agent.start(&["deploy"]);
    let has_arms = |route: &Value| route["spec"]["rules"].as_array().unwrap().len() == 2;
    let route = follow_once(&agent, has_arms);
    assert_eq!(backends(&route), [("bot-r1".to_owned(), 100)]);
    let rule = &route["spec"]["rules"][0];
    let says = json!([{ "headers": [{ "name": "X-Beta", "value": "true" }] }]);
    assert_eq!(rule["matches"], says);
    assert_eq!(rule["backendRefs"][0]["name"], "bot-r2");
    deploy.until("which arm stays");
    agent.run(&["status"]).ends(0).says("which arm stays");
    agent.run(&["promote", "b"]).ends(0);
    follow(&agent, &[("bot-r2", 100)]);
    deploy.wait().ends(0);
    agent.whole("r2", 1);
}

#[test]
fn istio_splits_by_weight() {
    let istio = "network.router = \"istio\"\nnetwork.host = \"bot.example.com\"\n\
                 network.gateway = \"edge/public\"\n";
    let Some(agent) = Clustered::new("istio", istio) else {
        return;
    };
    agent.serves_more();
    agent
        .run(&["deploy"])
        .ends(0)
        .says("http://bot.example.com");
    agent.spec(&format!("{istio}{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 5 %");
    let found = agent.namespace.get(&["virtualservices", "bot"]);
    let route = found["spec"]["http"][0]["route"].as_array().unwrap();
    let weights: Vec<_> = route.iter().map(|to| to["weight"].as_u64()).collect();
    assert_eq!(weights, [Some(95), Some(5)], "{found}");
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    for kind in ["virtualservices", "destinationrules"] {
        assert_eq!(agent.names(kind), [""; 0]);
    }
}
