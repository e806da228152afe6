use serde_json::{Value, json};

use super::super::fixtures::{find, input, kinds, refused, rendered};
use super::*;

const WATCHED: &str = "[observe]\nmetrics = \"/metrics\"\nprometheus = \"http://p:9090\"\n";
const GATEWAY: &str = "[network]\ngateway = \"infra/public\"\nhost = \"a.example.com\"\n";
const ISTIO: &str = "[network]\nrouter = \"istio\"\nhost = \"a.example.com\"\n";
const NGINX: &str = "[network]\nrouter = \"nginx\"\nhost = \"a.example.com\"\n";
const CANARY: &str = "[rollout]\nstrategy = \"canary\"\nsteps = [{ weight = 5, hold = \"5m\" }, \
                      { weight = 50, hold = \"5m\" }, { weight = 100 }]\n";
const ERRORS: &str = "[[gate]]\nmetric = \"error_rate\"\nmax = 0.01\n";

fn for_argo(added: &str) -> Input {
    walked(added, Controller::ArgoRollouts)
}

fn for_flagger(added: &str) -> Input {
    walked(added, Controller::Flagger)
}

fn walked(added: &str, controller: Controller) -> Input {
    let mut input = input(added);
    input.traffic.by = Some(controller);
    input
}

fn spec(input: &Input, kind: &str) -> Value {
    find(&rendered(input), kind, "helper")["spec"].clone()
}

#[test]
fn a_rollout_stands_for_the_deployment() {
    let objects = rendered(&for_argo("[rollout]\nmax_surge = 2"));
    assert!(!kinds(&objects).contains(&"Deployment helper".to_owned()));
    let spec = &find(&objects, "Rollout", "helper")["spec"];
    assert_eq!(spec["replicas"], 1);
    assert_eq!(
        spec["strategy"],
        json!({ "canary": { "maxSurge": 2, "maxUnavailable": 0 } })
    );
    assert_eq!(spec["template"]["spec"]["containers"][0]["name"], "helper");
}

#[test]
fn a_canary_walks_the_steps_of_the_spec() {
    let text = "[rollout]\nstrategy = \"canary\"\nbake = \"15m\"\nsteps = [{ weight = 5, hold = \"90s\" }, \
                { approve = \"all\" }, { weight = 100 }]\n";
    let canary = &spec(&for_argo(&format!("{GATEWAY}{text}")), "Rollout")["strategy"]["canary"];
    assert_eq!(
        canary["steps"],
        json!([
            { "setWeight": 5 }, { "pause": { "duration": "90s" } }, { "pause": {} },
            { "setWeight": 100 }, { "pause": { "duration": "900s" } },
        ])
    );
    assert_eq!(
        [&canary["stableService"], &canary["canaryService"]],
        ["helper", "helper-candidate"]
    );
}

#[test]
fn each_router_is_told_to_the_controller() {
    let plugin = json!({ "plugins": { "argoproj-labs/gatewayAPI": { "httpRoute": "helper" } } });
    let istio =
        json!({ "istio": { "virtualService": { "name": "helper", "routes": ["everyone"] } } });
    let cases = [
        (GATEWAY, "HTTPRoute helper", plugin),
        (ISTIO, "VirtualService helper", istio),
        (
            NGINX,
            "Ingress helper",
            json!({ "nginx": { "stableIngress": "helper" } }),
        ),
    ];
    for (network, route, routing) in cases {
        let objects = rendered(&for_argo(&format!("{network}{CANARY}")));
        assert!(kinds(&objects).contains(&route.to_owned()), "{route}");
        let canary = &find(&objects, "Rollout", "helper")["spec"]["strategy"]["canary"];
        assert_eq!(canary["trafficRouting"], routing);
        find(&objects, "Service", "helper-candidate");
    }
    let route = spec(&for_argo(&format!("{GATEWAY}{CANARY}")), "HTTPRoute");
    let weights: Vec<&Value> = route["rules"][0]["backendRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|backend| &backend["weight"])
        .collect();
    assert_eq!(weights, [100, 0]);
}

#[test]
fn gates_are_judged_for_as_long_as_each_hold() {
    let input = for_argo(&format!("{WATCHED}{GATEWAY}{CANARY}{ERRORS}"));
    let steps = &spec(&input, "Rollout")["strategy"]["canary"]["steps"];
    let args = steps[1]["analysis"]["args"].as_array().unwrap();
    let value = |name: &str| {
        let arg = args.iter().find(|arg| arg["name"] == name).unwrap();
        arg["value"].as_str().unwrap().to_owned()
    };
    let told = ["window", "every", "count", "unclear"].map(value);
    assert_eq!(told, ["300s", "60s", "5", "4"]);
    let objects = rendered(&input);
    let metric = &find(&objects, "AnalysisTemplate", "helper-gates")["spec"]["metrics"][0];
    let of = "{agent=\"helper\",release=\"{{args.release}}\"}[{{args.window}}]";
    let query = format!(
        "(sum(increase(agent_errors_total{of})) / sum(increase(agent_requests_total{of}))) and \
         (sum(increase(agent_requests_total{of})) >= 20)"
    );
    assert_eq!(metric["provider"]["prometheus"]["query"], query);
    assert_eq!(
        metric["successCondition"],
        "len(result) > 0 && result[0] <= 0.01"
    );
    assert_eq!(
        metric["failureCondition"],
        "len(result) > 0 && (result[0] > 0.01)"
    );
    assert_eq!(metric["count"], "{{args.count}}");
}

#[test]
fn blue_and_green_are_two_services() {
    let text = format!("{WATCHED}{ERRORS}[rollout]\nstrategy = \"blue-green\"\nbake = \"10m\"");
    let switch = &spec(&for_argo(&text), "Rollout")["strategy"]["blueGreen"];
    assert_eq!(
        [&switch["activeService"], &switch["previewService"]],
        ["helper", "helper-candidate"]
    );
    assert_eq!(switch["autoPromotionEnabled"], true);
    assert_eq!(switch["scaleDownDelaySeconds"], 600);
    let judged = &switch["postPromotionAnalysis"]["templates"][0];
    assert_eq!(judged["templateName"], "helper-gates");
}

#[test]
fn scalers_count_the_replicas_of_the_rollout() {
    let text = "[run]\nresources = { cpu = \"1\" }\n[scale]\ncpu = 70\nrecommend = false";
    let objects = rendered(&for_argo(text));
    let target = &find(&objects, "ScaledObject", "helper")["spec"]["scaleTargetRef"];
    assert_eq!(
        target,
        &json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "helper" })
    );
    assert_eq!(spec(&for_argo(text), "Rollout").get("replicas"), None);
    let canary = spec(
        &for_flagger(&format!("{text}\n{GATEWAY}{CANARY}")),
        "Canary",
    );
    assert_eq!(canary["autoscalerRef"]["kind"], "ScaledObject");
}

/// It makes what Istio reads itself, from what it is told.
#[test]
fn flagger_is_told_how_istio_speaks_to_replicas() {
    let sticky = "[drain]\nkey = [\"header:X-Id\"]\n";
    let objects = rendered(&for_flagger(&format!("{WATCHED}{ISTIO}{sticky}{CANARY}")));
    let service = &find(&objects, "Canary", "helper")["spec"]["service"];
    let policy = &service["trafficPolicy"];
    assert_eq!(policy["tls"]["mode"], "ISTIO_MUTUAL");
    assert_eq!(policy["outlierDetection"]["maxEjectionPercent"], 50);
    let hash = &policy["loadBalancer"]["consistentHash"];
    assert_eq!(hash["httpHeaderName"], "X-Id");
    assert_eq!(service["retries"]["attempts"], 2);
}

#[test]
fn flagger_steps_by_weight_and_judges_by_templates() {
    let gates = format!(
        "{ERRORS}unclear = \"fail\"\n[[gate]]\nname = \"Slow!\"\nmetric = \"latency_p99\"\nmax = \"1s\"\nunclear = \"pass\"\n"
    );
    let sticky = "[drain]\nkey = [\"header:X-Id\"]\n";
    let input = for_flagger(&format!("{WATCHED}{GATEWAY}{sticky}{CANARY}{gates}"));
    let objects = rendered(&input);
    let names = kinds(&objects);
    for gone in ["Service helper", "HTTPRoute helper"] {
        assert!(!names.contains(&gone.to_owned()), "{gone}");
    }
    let canary = &find(&objects, "Canary", "helper")["spec"];
    assert_eq!(canary["provider"], "gatewayapi:v1");
    assert_eq!(
        canary["service"]["gatewayRefs"],
        json!([{ "namespace": "infra", "name": "public" }])
    );
    let analysis = &canary["analysis"];
    assert_eq!(analysis["stepWeights"], json!([5, 50]));
    assert_eq!(
        [
            &analysis["interval"],
            &analysis["sessionAffinity"]["cookieName"]
        ],
        ["300s", "helper-release"]
    );
    assert_eq!(
        analysis["metrics"][1],
        json!({ "name": "slow", "templateRef": { "name": "helper-slow" }, "thresholdRange": { "max": 1.0 }, "interval": "300s" })
    );
    let query = |name| {
        find(&objects, "MetricTemplate", name)["spec"]["query"]
            .as_str()
            .unwrap()
    };
    assert!(query("helper-error-rate").ends_with(">= 20)"));
    assert!(query("helper-slow").ends_with(" or vector(1)"));
    assert!(query("helper-slow").contains("[{{ interval }}]"));
}

#[test]
fn flagger_finds_the_ingress_it_splits() {
    let objects = rendered(&for_flagger(&format!("{NGINX}{CANARY}")));
    let ingress = &find(&objects, "Canary", "helper")["spec"]["ingressRef"];
    find(&objects, "Ingress", ingress["name"].as_str().unwrap());
    let switch = spec(
        &for_flagger("[rollout]\nstrategy = \"blue-green\""),
        "Canary",
    );
    assert_eq!(
        [&switch["provider"], &switch["analysis"]["iterations"]],
        [&json!("kubernetes"), &json!(1)]
    );
}

#[test]
fn every_replica_is_watched_whoever_walks() {
    let shown = format!("{WATCHED}dashboards = true\n{GATEWAY}{CANARY}");
    let objects = rendered(&for_flagger(&shown));
    find(&rendered(&for_argo(&shown)), "PodMonitor", "helper");
    let selector = &find(&objects, "PodMonitor", "helper")["spec"]["selector"];
    assert_eq!(
        selector["matchExpressions"][0]["values"],
        json!(["helper", "helper-primary"])
    );
}

#[test]
fn what_a_controller_cannot_express_is_refused() {
    let argo = [
        ("kind = \"daemon\"".to_owned(), "services and workers only"),
        (
            "[[rollout.probe]]\nrequest = { path = \"/\" }".to_owned(),
            "no requests of its own",
        ),
        ("[rollback]\nauto = false".to_owned(), "always goes back"),
        (ERRORS.to_owned(), "give observe.prometheus"),
        (
            format!("[observe]\nprometheus = \"http://p\"\n{CANARY}{ERRORS}"),
            "give observe.metrics",
        ),
        (
            format!("{WATCHED}{CANARY}{ERRORS}unclear = \"fail\""),
            "the end of a hold",
        ),
        (format!("{WATCHED}{ERRORS}"), "while it replaces replicas"),
        ("[rollout]\nbake = \"5m\"".to_owned(), "nor bakes"),
        (
            format!("{WATCHED}{ERRORS}[rollout]\nstrategy = \"blue-green\""),
            "give rollout.bake",
        ),
        (CANARY.replace("= 5,", "= 0.5,"), "whole per cents"),
        (
            format!("{WATCHED}{ERRORS}{}", CANARY.replace(", hold = \"5m\"", "")),
            "give each step below 100 one",
        ),
    ];
    for (text, why) in argo {
        let said = refused(&for_argo(&text));
        assert!(
            said.contains("Argo Rollouts ") && said.contains(why),
            "{said}"
        );
    }
    let canary = format!("{GATEWAY}{CANARY}");
    let flagger = [
        ("kind = \"worker\"".to_owned(), "a worker has none"),
        (String::new(), "no rolling replacement"),
        (CANARY.to_owned(), "splits by weight"),
        (
            canary.replace("{ weight = 100", "{ approve = \"x\" }, { weight = 100"),
            "asks nobody",
        ),
        (
            format!("{canary}bake = \"5m\""),
            "keeps no old release warm",
        ),
        (canary.replacen("5m", "6m", 1), "the same hold"),
        (
            format!("{WATCHED}{canary}{ERRORS}"),
            "does not wait for more requests",
        ),
        (
            format!("{WATCHED}{ERRORS}[rollout]\nstrategy = \"blue-green\""),
            "before it has requests",
        ),
    ];
    for (text, why) in flagger {
        let said = refused(&for_flagger(&text));
        assert!(said.contains("Flagger ") && said.contains(why), "{said}");
    }
}

#[test]
fn names_of_gates_do_not_clash() {
    let gates = "[[gate]]\nmetric = \"requests\"\nmin = 1\n[[gate]]\nmetric = \"requests\"\nmax = 9\n\
                 [[gate]]\nname = \"!\"\nmetric = \"requests\"\nmax = 9\n";
    let input = input(gates);
    let names: Vec<String> = named(&input.spec.gate)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["requests", "gate-2", "gate-3"]);
}
