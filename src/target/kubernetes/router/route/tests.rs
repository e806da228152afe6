use serde_json::json;

use super::*;
use crate::spec::{Ab, Shadow};
use crate::target::kubernetes::heard::Change;
use crate::target::{Arms, Mirror};

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
    named("bot", 8000)
}

fn named(name: &str, port: u16) -> Value {
    let spec = json!({ "selector": {}, "ports": [{ "name": "http", "port": port }] });
    json!({ "kind": "Service", "metadata": { "name": name }, "spec": spec })
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
    ordered(router, things, &traffic(shares));
}

fn ordered(router: &ByRoute, things: &mut Things, traffic: &Traffic) {
    let kept = [rendered(router.form.kind), service()];
    for (what, object) in router.objects(&kept, things, traffic) {
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
        for (what, object) in router.objects(&kept, &things, &traffic(to)) {
            things.take_in(what, Change::Put(object));
            let between = router.shares(&things);
            let mut with_share = between.keys();
            let known = |id| allowed.iter().any(|shares| shares.contains_key(id));
            assert!(with_share.all(known), "{from:?} → {to:?}: {between:?}");
        }
    }
}

/// All requests go to the old release, and what is copied or chosen to the new one, which has another
/// port.
fn of_single_requests(form: &'static Form, traffic: &Traffic) -> Vec<Value> {
    let router = router(form);
    let mut things = Things::of("bot", "agents");
    things.take_in(What::Services, Change::Put(named("bot-r2", 9000)));
    let kept = [rendered(form.kind), service()];
    let objects = router.objects(&kept, &things, traffic);
    ordered(&router, &mut things, traffic);
    assert_eq!(router.shares(&things), traffic.shares, "{}", form.name);
    let (_, own) = objects.last().unwrap();
    assert_eq!(own["spec"]["selector"]["agentctl.dev/release"], "r1");
    let routes = objects
        .into_iter()
        .filter(|(what, _)| *what == What::Routes);
    let routes = routes.map(|(_, route)| route).collect();
    // Once it is over nothing of it is left.
    applied(&router, &mut things, &[(NEW, 100.0)]);
    let after = json!(things.each(What::Routes).collect::<Vec<_>>()).to_string();
    for word in [
        "irror",
        "matches",
        "chosen",
        "by-header",
        "agentctl.dev/shares",
    ] {
        assert!(!after.contains(word), "{}: {word} in {after}", form.name);
    }
    routes
}

#[test]
fn requests_are_copied_to_a_release_without_a_share() {
    let copied = Traffic {
        mirror: Some(Mirror {
            to: NEW,
            share: Percent::FULL,
            shadow: Shadow::default(),
        }),
        ..traffic(&[(OLD, 100.0)])
    };
    let route = &of_single_requests(&gateway::FORM, &copied)[0];
    assert_eq!(
        route["spec"]["rules"],
        json!([{
            "backendRefs": [{ "name": "bot-r1", "port": 8000, "weight": 100 }],
            "filters": [{ "type": "RequestMirror", "requestMirror": {
                "backendRef": { "name": "bot-r2", "port": 9000 }, "percent": 100,
            } }],
        }])
    );
    let rule = &of_single_requests(&istio::FORM, &copied)[0]["spec"]["http"][0];
    assert_eq!(
        rule["mirror"],
        json!({ "host": "bot-r2", "port": { "number": 9000 } })
    );
    assert_eq!(rule["mirrorPercentage"], json!({ "value": 100 }));
    let main = &of_single_requests(&nginx::FORM, &copied)[1];
    assert_eq!(
        main["metadata"]["annotations"]["nginx.ingress.kubernetes.io/mirror-target"],
        "http://bot-r2.agents.svc:9000$request_uri"
    );
}

#[test]
fn who_says_so_gets_one_release_and_all_others_the_other() {
    let arms = Traffic {
        arms: Some(Arms {
            to: NEW,
            rest: OLD,
            ab: Ab {
                says: vec!["header:X-Beta=true".parse().unwrap()],
                user: None,
                split: Percent::new(50.0).unwrap(),
            },
        }),
        ..traffic(&[(OLD, 50.0), (NEW, 50.0)])
    };
    let route = &of_single_requests(&gateway::FORM, &arms)[0];
    assert_eq!(
        route["spec"]["rules"],
        json!([
            {
                "backendRefs": [{ "name": "bot-r2", "port": 9000 }],
                "matches": [{ "headers": [{ "name": "X-Beta", "value": "true" }] }],
            },
            { "backendRefs": [{ "name": "bot-r1", "port": 8000, "weight": 100 }] },
        ])
    );
    let rules = &of_single_requests(&istio::FORM, &arms)[0]["spec"]["http"];
    assert_eq!(
        rules[0]["match"],
        json!([{ "headers": { "x-beta": { "exact": "true" } } }])
    );
    assert_eq!(rules[0]["route"][0]["destination"]["host"], "bot-r2");
    assert_eq!(rules[1]["route"].as_array().unwrap().len(), 1);
    assert_eq!(rules[1]["route"][0]["destination"]["host"], "bot-r1");
    let canary = &of_single_requests(&nginx::FORM, &arms)[0];
    let annotations = &canary["metadata"]["annotations"];
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-by-header"],
        "X-Beta"
    );
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-weight"],
        "0"
    );
}

#[test]
fn a_canary_keeps_only_what_it_may_have() {
    let things = Things::of("bot", "agents");
    let split = Split::of("bot", None, &things, &traffic(&[(OLD, 95.0), (NEW, 5.0)]));
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
        let objects = router.objects(&kept, &Things::of("bot", "agents"), &traffic(shares));
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
