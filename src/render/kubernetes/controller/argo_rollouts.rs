//! Argo Rollouts: a Rollout instead of the Deployment, a second Service for the candidate, and the
//! gates as an AnalysisTemplate that is run for as long as each hold.

use serde_json::{Value, json};

use super::{approvals, bounds, figure, named, object, refuse_first, template};
use crate::render::kubernetes::observe::queries::Queries;
use crate::render::kubernetes::traffic::{candidate_service, router};
use crate::render::kubernetes::{Object, probes};
use crate::render::{Controller, Failure, Input, Templates};
use crate::spec::{Kind, MetricGate, Period, RolloutStep, Router, Strategy, Unclear};

const MINUTE: u64 = 60;

pub(super) fn instead(
    mut objects: Vec<Object>,
    input: &Input,
    templates: &Templates,
) -> Result<Vec<Object>, Failure> {
    expressible(input)?;
    if let Some(workload) = objects.iter_mut().find(|one| is(one, "Deployment", input)) {
        *workload = rollout(workload, input, templates)?;
    }
    let service = objects.iter().find(|one| is(one, "Service", input));
    let candidate = service
        .filter(|_| input.spec.rollout.strategy != Strategy::Rolling)
        .map(|service| second(service, input));
    objects.extend(candidate);
    if !input.spec.gate.is_empty() {
        objects.push(analysis(input, templates)?);
    }
    Ok(objects)
}

fn is(object: &Object, kind: &str, input: &Input) -> bool {
    object.value["kind"] == kind && object.value["metadata"]["name"] == input.agent()
}

fn expressible(input: &Input) -> Result<(), Failure> {
    let spec = &input.spec;
    let (rollout, gates) = (&spec.rollout, &spec.gate);
    let gated = |strategy| rollout.strategy == strategy && !gates.is_empty();
    let fraction = |step: &RolloutStep| matches!(step, RolloutStep::Weight { weight, .. } if !weight.is_whole());
    let refusals = [
        (
            rollout.strategy == Strategy::Auto,
            "does not choose by what changed: name a strategy",
        ),
        (
            rollout.strategy == Strategy::Ab,
            "waits for nobody to promote an arm: strategy = \"canary\"",
        ),
        (
            rollout.strategy == Strategy::Shadow,
            "is not told to copy requests: strategy = \"canary\"",
        ),
        (
            gates.iter().any(|gate| gate.unclear == Unclear::Fail),
            "cannot tell the end of a hold from its middle: unclear = \"wait\" or \"pass\"",
        ),
        (
            gated(Strategy::Rolling),
            "judges no gates while it replaces replicas: strategy = \"canary\"",
        ),
        (
            rollout.strategy == Strategy::Rolling && (approvals(input) || !rollout.bake.is_zero()),
            "neither waits nor bakes while it replaces replicas: strategy = \"canary\"",
        ),
        (
            gated(Strategy::BlueGreen) && rollout.bake.is_zero(),
            "judges the gates of a blue-green rollout while it bakes: give rollout.bake",
        ),
        (
            rollout.strategy == Strategy::BlueGreen && spec.agent.kind == Kind::Worker,
            "switches a Service, and a worker has none: strategy = \"canary\"",
        ),
        (
            rollout.steps.iter().any(fraction),
            "knows whole per cents only",
        ),
        (
            gated(Strategy::Canary) && rollout.steps.iter().any(unjudged),
            "judges gates during a hold: give each step below 100 one",
        ),
    ];
    refuse_first(&refusals, Controller::ArgoRollouts)
}

fn unjudged(step: &RolloutStep) -> bool {
    matches!(step, RolloutStep::Weight { weight, hold } if hold.is_zero() && *weight < crate::spec::Percent::FULL)
}

/// The pods and the way they are found are the Deployment's.
fn rollout(workload: &Object, input: &Input, templates: &Templates) -> Result<Object, Failure> {
    let spec = &workload.value["spec"];
    let strategy = match input.spec.rollout.strategy {
        Strategy::BlueGreen => json!({ "blueGreen": blue_green(input) }),
        Strategy::Canary | Strategy::Shadow | Strategy::Ab | Strategy::Auto => {
            json!({ "canary": canary(input) })
        }
        Strategy::Rolling => json!({ "canary": rolling(input) }),
    };
    let context = json!({
        "metadata": workload.value["metadata"],
        "replicas": spec["replicas"],
        "selector": spec["selector"],
        "strategy": strategy,
        "pod": spec["template"],
    });
    let template = template(Controller::ArgoRollouts);
    object("rollout", template, &context, templates)
}

fn rolling(input: &Input) -> Value {
    let rollout = &input.spec.rollout;
    json!({ "maxSurge": rollout.max_surge, "maxUnavailable": rollout.max_unavailable })
}

/// The bake is the time for which the old replicas stay, with the gates on.
fn blue_green(input: &Input) -> Value {
    let bake = input.spec.rollout.bake;
    let judged = (!bake.is_zero() && !input.spec.gate.is_empty()).then(|| judged(input, bake));
    json!({
        "activeService": input.agent(),
        "previewService": candidate_service(input),
        "autoPromotionEnabled": !approvals(input),
        "postPromotionAnalysis": judged,
        "scaleDownDelaySeconds": probes::seconds(bake),
    })
}

fn canary(input: &Input) -> Value {
    let has_service = input.spec.agent.kind == Kind::Service;
    json!({
        "stableService": has_service.then(|| input.agent()),
        "canaryService": has_service.then(|| candidate_service(input)),
        "steps": steps(input),
        "trafficRouting": has_service.then(|| routing(input)),
    })
}

fn steps(input: &Input) -> Vec<Value> {
    let rollout = &input.spec.rollout;
    let each = rollout.steps.iter().flat_map(|step| match step {
        RolloutStep::Approve { .. } => vec![json!({ "pause": {} })],
        RolloutStep::Weight { weight, hold } => {
            let weight = json!({ "setWeight": weight.hundredths() / 100 });
            std::iter::once(weight).chain(held(input, *hold)).collect()
        }
    });
    each.chain(held(input, rollout.bake)).collect()
}

fn held(input: &Input, hold: Period) -> Option<Value> {
    match (hold.is_zero(), input.spec.gate.is_empty()) {
        (true, _) => None,
        (false, true) => {
            Some(json!({ "pause": { "duration": format!("{}s", probes::seconds(hold)) } }))
        }
        (false, false) => Some(json!({ "analysis": judged(input, hold) })),
    }
}

/// The gates, asked each minute until the hold is over.
fn judged(input: &Input, hold: Period) -> Value {
    let hold = probes::seconds(hold);
    let every = hold.min(MINUTE);
    let count = hold / every;
    let given = [
        ("window", format!("{hold}s")),
        ("every", format!("{every}s")),
        ("count", count.to_string()),
        // One clear answer is enough: without any it waits for a person.
        ("unclear", (count - 1).to_string()),
    ];
    let given = given.map(|(name, value)| json!({ "name": name, "value": value }));
    let release = json!({ "name": "release", "valueFrom": { "podTemplateHashValue": "Latest" } });
    let args: Vec<Value> = given.into_iter().chain([release]).collect();
    json!({ "templates": [{ "templateName": gates(input) }], "args": args })
}

fn gates(input: &Input) -> String {
    format!("{}-gates", input.agent())
}

fn routing(input: &Input) -> Option<Value> {
    let agent = input.agent();
    match router(input) {
        Router::Gateway => Some(json!({ "plugins": { "argoproj-labs/gatewayAPI": {
            "httpRoute": agent, "namespace": input.namespace(),
        } } })),
        Router::Istio => Some(json!({ "istio": { "virtualService": {
            "name": agent, "routes": ["everyone"],
        } } })),
        Router::Nginx => Some(json!({ "nginx": { "stableIngress": agent } })),
        Router::Auto | Router::Service => None,
    }
}

/// The controller narrows down what each of the two Services selects.
fn second(service: &Object, input: &Input) -> Object {
    let mut value = service.value.clone();
    value["metadata"]["name"] = json!(candidate_service(input));
    Object {
        file: format!("{}-candidate", service.file),
        value,
    }
}

fn analysis(input: &Input, templates: &Templates) -> Result<Object, Failure> {
    let queries = Queries::of(input).only("release=\"{{args.release}}\"");
    let metrics = named(&input.spec.gate);
    let metrics: Vec<Value> = metrics
        .into_iter()
        .map(|(name, gate)| metric(&name, gate, &queries))
        .collect();
    let context = json!({
        "metadata": input.metadata(&gates(input)),
        "server": input.spec.observe.prometheus,
        "given": {
            "every": "{{args.every}}", "count": "{{args.count}}", "unclear": "{{args.unclear}}",
        },
        "metrics": metrics,
    });
    let template = "kubernetes/analysis-template.yaml";
    object("analysis-template", template, &context, templates)
}

fn metric(name: &str, gate: &MetricGate, queries: &Queries) -> Value {
    let bounds = bounds(gate);
    let (min, max) = (&bounds["min"], &bounds["max"]);
    let each = |least: &str, most: &str| -> Vec<String> {
        let least = (!min.is_null()).then(|| format!("result[0] {least} {min}"));
        let most = (!max.is_null()).then(|| format!("result[0] {most} {max}"));
        least.into_iter().chain(most).collect()
    };
    let good = each(">=", "<=").join(" && ");
    let bad = format!("len(result) > 0 && ({})", each("<", ">").join(" || "));
    let (success, failure) = match gate.unclear {
        Unclear::Pass => (format!("!({bad})"), bad),
        Unclear::Wait | Unclear::Fail | Unclear::Approve => {
            (format!("len(result) > 0 && {good}"), bad)
        }
    };
    json!({
        "name": name,
        "query": figure(queries, gate, "{{args.window}}"),
        "success": success,
        "failure": failure,
    })
}
