use serde_json::json;

use super::*;
use crate::target::kubernetes::heard::Change;

const OLD: ReleaseId = ReleaseId(1);
const NEW: ReleaseId = ReleaseId(2);

fn traffic(shares: &[(ReleaseId, f64)]) -> Traffic {
    let shares = shares.iter();
    Traffic {
        shares: shares
            .map(|(id, share)| (*id, Percent::new(*share).unwrap()))
            .collect(),
        keys: Vec::new(),
        sticky: false,
        settle: None,
        mirror: None,
        arms: None,
    }
}

/// As rendering writes it for the first release.
fn rendered(kind: &str) -> Value {
    let spec = match kind {
        "HTTPRoute" => json!({
            "parentRefs": [{ "name": "front" }],
            "hostnames": ["bot.example.com"],
            "rules": [{ "backendRefs": [{ "name": "bot-r1", "port": 8000, "weight": 100 }] }],
        }),
        "VirtualService" => json!({
            "hosts": ["bot.example.com", "bot"],
            "gateways": ["front", "mesh"],
            "http": [{ "name": "everyone", "route": [{
                "destination": { "host": "bot-r1", "port": { "number": 8000 } }, "weight": 100,
            }] }],
        }),
        _ => json!({ "rules": [{ "host": "bot.example.com", "http": { "paths": [{
            "path": "/", "backend": { "service": { "name": "bot-r1", "port": { "number": 8000 } } },
        }] } }] }),
    };
    let annotations = json!({
        "nginx.ingress.kubernetes.io/proxy-buffering": "off",
        "nginx.ingress.kubernetes.io/upstream-hash-by": "$http_x",
        "agentctl.dev/team": "support",
    });
    json!({
        "kind": kind, "spec": spec,
        "metadata": { "name": "bot", "annotations": annotations, "generation": 2 },
    })
}

fn service() -> Value {
    json!({ "kind": "Service", "metadata": { "name": "bot" }, "spec": { "selector": {} } })
}

fn router(form: &'static Form) -> ByRoute {
    ByRoute {
        form,
        version: "example.com/v1".to_owned(),
        service: ByService {
            agent: "bot".to_owned(),
        },
    }
}

fn applied(router: &ByRoute, things: &mut Things, shares: &[(ReleaseId, f64)]) {
    let kept = [rendered(router.form.kind), service()];
    for (what, object) in router.objects(&kept, &traffic(shares)) {
        things.take_in(what, Change::Put(object));
    }
}

#[test]
fn what_was_split_is_read_back() {
    for form in FORMS {
        let router = router(form);
        let mut things = Things::of("bot", "agents");
        for shares in [
            &[(OLD, 100.0)][..],
            &[(OLD, 95.0), (NEW, 5.0)],
            &[(OLD, 94.5), (NEW, 5.5)],
            &[(NEW, 100.0)],
            &[(NEW, 90.0), (ReleaseId(3), 10.0)],
            &[(OLD, 10.0), (NEW, 90.0)],
        ] {
            applied(&router, &mut things, shares);
            let name = form.name;
            assert_eq!(router.shares(&things), traffic(shares).shares, "{name}");
            assert_eq!(router.url(&things).unwrap(), "http://bot.example.com");
        }
    }
}

/// Each object takes effect by itself, so every state in between counts.
#[test]
fn nobody_without_a_share_gets_a_request_in_between() {
    let router = router(&nginx::FORM);
    let ways: [[&[(ReleaseId, f64)]; 2]; 4] = [
        [&[(OLD, 100.0)], &[(OLD, 95.0), (NEW, 5.0)]],
        [&[(OLD, 50.0), (NEW, 50.0)], &[(NEW, 100.0)]],
        [&[(OLD, 50.0), (NEW, 50.0)], &[(OLD, 100.0)]],
        [&[(NEW, 100.0)], &[(OLD, 10.0), (NEW, 90.0)]],
    ];
    for [from, to] in ways {
        let mut things = Things::of("bot", "agents");
        applied(&router, &mut things, from);
        let allowed = [traffic(from).shares, traffic(to).shares];
        let kept = [rendered("Ingress"), service()];
        for (what, object) in router.objects(&kept, &traffic(to)) {
            things.take_in(what, Change::Put(object));
            let between = router.shares(&things);
            let mut with_share = between.keys();
            let known = |id| allowed.iter().any(|shares| shares.contains_key(id));
            assert!(with_share.all(known), "{from:?} → {to:?}: {between:?}");
        }
    }
}

#[test]
fn a_canary_keeps_only_what_it_may_have() {
    let split = Split::of("bot", &traffic(&[(OLD, 95.0), (NEW, 5.0)]));
    let objects = (nginx::FORM.split)(&rendered("Ingress"), &split);
    let canary = &objects[0]["metadata"];
    assert_eq!(canary["name"], "bot-candidate");
    let keys: Vec<&String> = canary["annotations"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "nginx.ingress.kubernetes.io/proxy-buffering",
            "agentctl.dev/team",
            "nginx.ingress.kubernetes.io/canary",
            "nginx.ingress.kubernetes.io/canary-weight",
            "nginx.ingress.kubernetes.io/canary-weight-total",
        ]
    );
}

#[test]
fn the_agents_own_service_sends_to_who_has_most() {
    let router = router(&gateway::FORM);
    let kept = [rendered("HTTPRoute"), service()];
    let cases = [
        (&[(OLD, 95.0), (NEW, 5.0)][..], "r1"),
        (&[(OLD, 50.0), (NEW, 50.0)], "r1"),
        (&[(OLD, 40.0), (NEW, 60.0)], "r2"),
    ];
    for (shares, wanted) in cases {
        let objects = router.objects(&kept, &traffic(shares));
        let (_, service) = objects.last().unwrap();
        assert_eq!(service["spec"]["selector"]["agentctl.dev/release"], wanted);
    }
}

fn told(conditions: Value) -> Value {
    let mut route = rendered("HTTPRoute");
    route["status"]["parents"] =
        json!([{ "parentRef": { "name": "front" }, "conditions": conditions }]);
    route
}

#[test]
fn a_gateway_says_whether_it_follows() {
    let condition = |kind: &str, status: &str, seen: u64| json!({ "type": kind, "status": status, "observedGeneration": seen, "message": "no" });
    let cases = [
        (rendered("HTTPRoute"), "it was not looked at yet"),
        (
            told(json!([])),
            "nothing has said yet whether it is Accepted",
        ),
        (
            told(json!([condition("Accepted", "True", 1)])),
            "its last change was not looked at yet",
        ),
        (
            told(json!([condition("Accepted", "False", 2)])),
            "it is not Accepted: no",
        ),
        (
            told(json!([
                condition("Accepted", "True", 2),
                condition("ResolvedRefs", "False", 2)
            ])),
            "it is not ResolvedRefs: no",
        ),
    ];
    for (route, why) in cases {
        let says = (gateway::FORM.lacks)(&route).unwrap();
        assert_eq!(says, format!("HTTPRoute bot at the Gateway front: {why}"));
    }
    let followed = told(json!([
        condition("Accepted", "True", 2),
        condition("ResolvedRefs", "True", 3),
    ]));
    assert_eq!((gateway::FORM.lacks)(&followed), None);
}

#[test]
fn istio_is_waited_for_only_where_it_tells() {
    let mut route = rendered("VirtualService");
    assert_eq!((istio::FORM.lacks)(&route), None);
    let condition = json!({ "type": "Reconciled", "status": "False", "message": "4/5 proxies" });
    route["status"]["conditions"] = json!([condition]);
    let says = (istio::FORM.lacks)(&route).unwrap();
    assert_eq!(
        says,
        "VirtualService bot: it is not Reconciled: 4/5 proxies"
    );
}
