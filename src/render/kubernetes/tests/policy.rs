use serde_json::json;

use super::*;

fn policy(more: &str) -> Value {
    one(&input(more), "NetworkPolicy")["spec"].clone()
}

/// What an endpoint in network.allow leads to.
fn rules(endpoint: &str) -> Vec<Value> {
    let text = format!(
        "[network]\nallow = [\"{endpoint}\"]\n[services.state]\npreset = \"redis\"\n[tools.far]\nimage = \"far:1\"\nmode = \"service\"\n[tools.near]\nimage = \"near:1\""
    );
    let all = policy(&text)["egress"].as_array().unwrap().clone();
    let dns = json!([{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }]);
    assert_eq!(all[0]["ports"], dns);
    all[1..].to_vec()
}

#[test]
fn without_a_list_it_may_reach_all() {
    let policy = policy("");
    assert_eq!(policy["policyTypes"], json!(["Ingress"]));
    assert!(policy.get("egress").is_none());
    let port = json!([{ "ports": [{ "protocol": "TCP", "port": 8000 }] }]);
    assert_eq!(policy["ingress"], port);
}

#[test]
fn each_release_has_its_own() {
    let policy = one(&released(""), "NetworkPolicy");
    assert_eq!(policy["metadata"]["name"], "bot-r7");
    let chosen = &policy["spec"]["podSelector"]["matchLabels"];
    assert_eq!(chosen["agentctl.dev/release"], "r7");
    let shared = one(&input(""), "NetworkPolicy");
    assert_eq!(shared["metadata"]["name"], "bot");
}

#[test]
fn nobody_reaches_a_worker_that_nobody_asks() {
    let worker = policy("kind = \"worker\"");
    assert_eq!(worker["policyTypes"], json!(["Ingress"]));
    assert!(worker.get("ingress").is_none());
    let asked = policy("kind = \"worker\"\n[observe]\nmetrics = \"/metrics\"");
    assert!(asked.get("ingress").is_some());
}

#[test]
fn an_empty_list_leaves_names_alone() {
    let policy = policy("[network]\nallow = []");
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["egress"].as_array().unwrap().len(), 1);
}

#[test]
fn each_endpoint_is_opened_as_narrowly_as_can_be() {
    let pods = |name: &str| {
        let labels = json!({ "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "bot" });
        json!([{ "podSelector": { "matchLabels": labels } }])
    };
    let namespace = |name: &str| json!([{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } } }]);
    let block = |cidr: &str| json!([{ "ipBlock": { "cidr": cidr } }]);
    let cases = [
        ("state:6379", pods("state")),
        ("far:3000", pods("far")),
        ("other:80", json!([{ "podSelector": {} }])),
        ("redis.data:6379", namespace("data")),
        ("redis.dev.svc:6379", namespace("dev")),
        ("a.redis.data.svc.cluster.local:6379", namespace("data")),
        ("192.0.2.1:443", block("192.0.2.1/32")),
        ("10.1.2.3/8:5432", block("10.0.0.0/8")),
        ("0.0.0.0/0:443", block("0.0.0.0/0")),
        ("[2001:db8::1]:443", block("2001:db8::1/128")),
        ("[2001:db8::1]/32:443", block("2001:db8::/32")),
    ];
    for (endpoint, to) in cases {
        let port: u16 = endpoint.rsplit_once(':').unwrap().1.parse().unwrap();
        let rule = json!({ "to": to, "ports": [{ "protocol": "TCP", "port": port }] });
        assert_eq!(rules(endpoint), [rule], "{endpoint}");
    }
}

#[test]
fn a_host_outside_is_no_machine_of_the_network() {
    for endpoint in [
        "api.example.com:443",
        "github.com:443",
        "example.ai:443",
        "svc.example.com:443",
    ] {
        let rules = rules(endpoint);
        let block = &rules[0]["to"][0]["ipBlock"];
        assert_eq!(block["cidr"], "0.0.0.0/0", "{endpoint}");
        let except = block["except"].as_array().unwrap();
        assert!(except.contains(&json!("169.254.0.0/16")));
    }
}

#[test]
fn what_is_in_the_same_pod_needs_no_rule() {
    for endpoint in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
        assert!(rules(endpoint).is_empty(), "{endpoint}");
    }
}

#[test]
fn figures_and_traces_may_leave() {
    let cases = [
        ("https://otel.example.com", 443),
        ("http://otel.example.com/v1", 80),
        ("http://user@otel.example.com:4318/v1", 4318),
    ];
    for (url, port) in cases {
        let policy = policy(&format!(
            "[network]\nallow = []\n[observe]\notel = \"{url}\""
        ));
        assert_eq!(policy["egress"][1]["ports"][0]["port"], port, "{url}");
    }
}
