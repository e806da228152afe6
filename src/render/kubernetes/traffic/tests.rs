use serde_json::{Value, json};

use super::super::fixtures::{find, input, input_in, kinds, refused, rendered};
use super::*;

const GATEWAY: &str = "[network]\ngateway = \"infra/public\"\nhost = \"a.example.com\"\n";
const ISTIO: &str =
    "[network]\nrouter = \"istio\"\ngateway = \"infra/public\"\nhost = \"a.example.com\"\n";
const NGINX: &str = "[network]\nrouter = \"nginx\"\nhost = \"a.example.com\"\ntls = \"cert\"\n";

/// r13 serves, r14 gets this share.
fn at(network: &str, weight: f64) -> Input {
    let mut input = input(network);
    input.release = Some("r13".parse().unwrap());
    input.traffic.candidate = Some(("r14".parse().unwrap(), Percent::new(weight).unwrap()));
    input
}

fn spec(input: &Input, kind: &str, name: &str) -> Value {
    find(&rendered(input), kind, name)["spec"].clone()
}

#[test]
fn a_gateway_splits_by_weight() {
    let cases = [
        (5.0, 95, 5),
        (0.0, 100, 0),
        (100.0, 0, 100),
        (0.25, 9975, 25),
    ];
    for (weight, stable, candidate) in cases {
        let route = spec(&at(GATEWAY, weight), "HTTPRoute", "helper");
        assert_eq!(
            route["rules"][0]["backendRefs"],
            json!([
                { "name": "helper-r13", "port": 8000, "weight": stable },
                { "name": "helper-r14", "port": 8000, "weight": candidate },
            ])
        );
        assert_eq!(
            route["parentRefs"],
            json!([{ "namespace": "infra", "name": "public" }])
        );
        assert_eq!(route["hostnames"], json!(["a.example.com"]));
    }
}

#[test]
fn without_a_release_the_agents_service_gets_everything() {
    let route = spec(&input(GATEWAY), "HTTPRoute", "helper");
    let backends = json!([{ "name": "helper", "port": 8000, "weight": 100 }]);
    assert_eq!(route["rules"], json!([{ "backendRefs": backends }]));
}

#[test]
fn a_gateway_mirrors_and_matches() {
    let mut input = at(GATEWAY, 0.0);
    input.traffic.mirror = Percent::new(100.0);
    input.traffic.matches = vec![
        "header:X-Beta=true".parse().unwrap(),
        "cookie:b.c=1".parse().unwrap(),
    ];
    let route = spec(&input, "HTTPRoute", "helper");
    let [chosen, everyone] = route["rules"].as_array().unwrap().as_slice() else {
        panic!("{route}");
    };
    assert_eq!(chosen["backendRefs"][0]["name"], "helper-r14");
    assert_eq!(
        chosen["matches"][0]["headers"][0],
        json!({ "name": "X-Beta", "value": "true" })
    );
    let cookie = &chosen["matches"][1]["headers"][0];
    assert_eq!(cookie["value"], "^(.*;\\s*)?b\\.c=1(;.*)?$");
    let mirror = &everyone["filters"][0]["requestMirror"];
    assert_eq!(mirror["percent"], 100);
    input.traffic.mirror = Percent::new(0.5);
    let route = spec(&input, "HTTPRoute", "helper");
    let mirror = &route["rules"][1]["filters"][0]["requestMirror"];
    assert_eq!(
        mirror["fraction"],
        json!({ "numerator": 50, "denominator": 10_000 })
    );
}

#[test]
fn istio_splits_mirrors_and_matches() {
    let mut input = at(ISTIO, 5.0);
    input.traffic.mirror = Percent::new(12.5);
    input.traffic.matches = vec!["header:X-Beta=true".parse().unwrap()];
    let service = spec(&input, "VirtualService", "helper");
    assert_eq!(service["gateways"], json!(["infra/public", "mesh"]));
    assert_eq!(service["hosts"], json!(["a.example.com", "helper"]));
    let [chosen, everyone] = service["http"].as_array().unwrap().as_slice() else {
        panic!("{service}");
    };
    assert_eq!(
        chosen["match"],
        json!([{ "headers": { "x-beta": { "exact": "true" } } }])
    );
    assert_eq!(chosen["route"][0]["destination"]["host"], "helper-r14");
    assert_eq!(
        [
            &everyone["route"][0]["weight"],
            &everyone["route"][1]["weight"]
        ],
        [95, 5]
    );
    assert_eq!(everyone["mirrorPercentage"]["value"], 12.5);
    assert_eq!(everyone["retries"]["attempts"], 2);
}

#[test]
fn istio_keeps_conversations_and_leaves_out_what_fails() {
    let cases = [
        ("header:X-Id", json!({ "httpHeaderName": "X-Id" })),
        (
            "cookie:c",
            json!({ "httpCookie": { "name": "c", "ttl": "600s" } }),
        ),
        ("query:q", json!({ "httpQueryParameterName": "q" })),
    ];
    for (key, hash) in cases {
        let input = at(
            &format!("{ISTIO}[drain]\nkey = [\"json:a\", \"{key}\"]"),
            5.0,
        );
        for release in ["helper-r13", "helper-r14"] {
            let policy = spec(&input, "DestinationRule", release)["trafficPolicy"].clone();
            assert_eq!(policy["loadBalancer"]["consistentHash"], hash);
            assert_eq!(policy["tls"]["mode"], "ISTIO_MUTUAL");
            assert_eq!(policy["outlierDetection"]["consecutive5xxErrors"], 3);
        }
    }
    let loose = format!("{ISTIO}[drain]\nkey = [\"header:X\"]\n[rollout]\nsticky = false");
    let policy = spec(&at(&loose, 5.0), "DestinationRule", "helper-r13");
    assert_eq!(policy["trafficPolicy"].get("loadBalancer"), None);
}

/// The first request of a conversation has no cookie yet.
#[test]
fn nginx_sets_a_cookie_of_its_own_where_the_agent_does() {
    let input = at(&format!("{NGINX}[drain]\nkey = [\"cookie:conv\"]"), 5.0);
    let objects = rendered(&input);
    for name in ["helper", "helper-candidate"] {
        let annotations = &find(&objects, "Ingress", name)["metadata"]["annotations"];
        let get = |name: &str| annotations[format!("nginx.ingress.kubernetes.io/{name}")].clone();
        assert_eq!(get("affinity"), "cookie");
        assert_eq!(get("session-cookie-name"), "helper-replica");
        assert_eq!(get("upstream-hash-by"), Value::Null);
    }
}

#[test]
fn nginx_has_a_second_ingress_for_the_candidate() {
    let mut input = at(&format!("{NGINX}[drain]\nkey = [\"header:X-Id\"]"), 5.0);
    input.traffic.matches = vec!["header:X-Beta=true".parse().unwrap()];
    let objects = rendered(&input);
    let annotations = |name| find(&objects, "Ingress", name)["metadata"]["annotations"].clone();
    let (stable, candidate) = (annotations("helper"), annotations("helper-candidate"));
    let get = |of: &Value, name: &str| of[format!("nginx.ingress.kubernetes.io/{name}")].clone();
    assert_eq!(get(&stable, "canary"), Value::Null);
    assert_eq!(get(&stable, "upstream-hash-by"), "$http_x_id");
    assert_eq!(get(&stable, "proxy-buffering"), "off");
    // No canary takes this over from the other.
    assert_eq!(get(&candidate, "upstream-hash-by"), "$http_x_id");
    assert_eq!(get(&candidate, "canary"), "true");
    assert_eq!(get(&candidate, "canary-weight"), "5");
    assert_eq!(get(&candidate, "canary-by-header"), "X-Beta");
    assert_eq!(get(&candidate, "canary-by-header-value"), "true");
    let ingress = &find(&objects, "Ingress", "helper")["spec"];
    assert_eq!(
        ingress["tls"],
        json!([{ "hosts": ["a.example.com"], "secretName": "cert" }])
    );
    let backend = &ingress["rules"][0]["http"]["paths"][0]["backend"]["service"];
    assert_eq!(backend["name"], "helper-r13");
}

#[test]
fn what_a_router_cannot_do_is_refused() {
    let mut two = at(NGINX, 5.0);
    two.traffic.matches = vec!["header:a=b".parse().unwrap(), "header:c=d".parse().unwrap()];
    assert!(refused(&two).contains("by one header or one cookie"));
    let mut cookie = at(NGINX, 5.0);
    cookie.traffic.matches = vec!["cookie:a=b".parse().unwrap()];
    assert!(refused(&cookie).contains("\"always\" only"));
    let mut half = at(NGINX, 5.0);
    half.traffic.mirror = Percent::new(50.0);
    assert!(refused(&half).contains("all requests or none"));
    for (kind, says) in [
        ("service", "by replicas only"),
        ("stateful", "as its replicas are"),
        ("worker", "nobody sends requests to a worker"),
        ("job", "nobody sends requests to a job"),
    ] {
        let mut input = at("", 5.0);
        input.spec.agent.kind = serde_json::from_value(json!(kind)).unwrap();
        let refusal = refused(&input);
        assert!(refusal.contains(says), "{kind}: {refusal}");
    }
}

#[test]
fn nginx_copies_to_a_service_that_it_finds() {
    let live = "[environments.live]\ntarget = { kubernetes = { namespace = \"agents\" } }";
    let text = format!("[agent]\nname = \"helper\"\n{NGINX}{live}");
    let mut input = input_in(&text, Some("live"));
    input.release = Some("r13".parse().unwrap());
    input.traffic.candidate = Some(("r14".parse().unwrap(), Percent::ZERO));
    input.traffic.mirror = Some(Percent::FULL);
    let objects = rendered(&input);
    let annotations = &find(&objects, "Ingress", "helper")["metadata"]["annotations"];
    let target = "http://helper-r14.agents.svc:8000$request_uri";
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/mirror-target"],
        target
    );
}

#[test]
fn a_service_alone_needs_no_object() {
    let routes = ["HTTPRoute", "VirtualService", "Ingress"];
    for text in ["", "[network]\nrouter = \"service\"\ngateway = \"public\""] {
        let found = kinds(&rendered(&input(text)));
        assert!(
            !found
                .iter()
                .any(|kind| routes.iter().any(|route| kind.starts_with(route))),
            "{found:?}"
        );
    }
    let worker = "kind = \"worker\"\n[network]\ngateway = \"public\"";
    assert!(!kinds(&rendered(&input(worker))).contains(&"HTTPRoute helper".to_owned()));
}

#[test]
fn a_pattern_means_the_text_alone() {
    assert_eq!(plain("a.b*c-d_e"), "a\\.b\\*c-d_e");
}
