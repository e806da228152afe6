//! Flagger: a Canary beside the Deployment, and each gate as a MetricTemplate. It makes the
//! Services and the route itself, and runs the stable release as a copy, `…-primary`.

use serde_json::{Value, json};

use super::{approvals, bounds, figure, named, object, refuse_first, template};
use crate::render::kubernetes::observe::queries::Queries;
use crate::render::kubernetes::traffic::{conversation, parents, policy, retries, router};
use crate::render::kubernetes::{Object, names, probes, scale};
use crate::render::{Controller, Failure, Input, Templates};
use crate::spec::{Kind, MetricGate, Percent, Period, RolloutStep, Router, Strategy, Unclear};

const NAME: &str = "app.kubernetes.io/name";

pub(super) fn instead(
    mut objects: Vec<Object>,
    input: &Input,
    templates: &Templates,
) -> Result<Vec<Object>, Failure> {
    expressible(input)?;
    objects.retain(|object| !is_service(object, input));
    for object in &mut objects {
        cover_primary(&mut object.value, input);
    }
    let gates = named(&input.spec.gate);
    for (name, gate) in &gates {
        objects.push(metric_template(name, gate, input, templates)?);
    }
    objects.push(canary(&gates, input, templates)?);
    Ok(objects)
}

fn is_service(object: &Object, input: &Input) -> bool {
    object.value["kind"] == "Service" && object.value["metadata"]["name"] == input.agent()
}

fn expressible(input: &Input) -> Result<(), Failure> {
    let (rollout, gates) = (&input.spec.rollout, &input.spec.gate);
    let by_service = matches!(router(input), Router::Auto | Router::Service);
    let is_canary = rollout.strategy == Strategy::Canary;
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
            input.spec.agent.kind == Kind::Worker,
            "moves requests, and a worker has none",
        ),
        (
            rollout.strategy == Strategy::Rolling,
            "has no rolling replacement: strategy = \"canary\" or \"blue-green\"",
        ),
        (
            is_canary && by_service,
            "needs a router that splits by weight: network.router = \"gateway\", \"istio\" or \"nginx\"",
        ),
        (
            approvals(input),
            "asks nobody: take out the steps that wait for approval",
        ),
        (
            !rollout.bake.is_zero(),
            "keeps no old release warm: take out rollout.bake",
        ),
        (
            is_canary && hold(input).is_none(),
            "holds all its steps equally long: give each step below 100 the same hold, at least \"10s\"",
        ),
        (
            !is_canary && !gates.is_empty(),
            "judges a blue-green rollout before it has requests: strategy = \"canary\"",
        ),
        (
            gates.iter().any(|gate| gate.unclear == Unclear::Wait),
            "does not wait for more requests: unclear = \"pass\" or \"fail\" on each gate",
        ),
        (
            weights(input).any(|weight| !weight.is_whole()),
            "knows whole per cents only",
        ),
    ];
    refuse_first(&refusals, Controller::Flagger)
}

/// Of the steps below 100: at 100 it makes the candidate the stable release.
fn below_full(input: &Input) -> impl Iterator<Item = (Percent, Period)> {
    let steps = input.spec.rollout.steps.iter();
    steps.filter_map(|step| match step {
        RolloutStep::Weight { weight, hold } if *weight < Percent::FULL => Some((*weight, *hold)),
        _ => None,
    })
}

fn weights(input: &Input) -> impl Iterator<Item = Percent> {
    below_full(input).map(|(weight, _)| weight)
}

/// The one length of all holds.
fn hold(input: &Input) -> Option<Period> {
    let mut holds = below_full(input).map(|(_, hold)| hold);
    let first = holds.next()?;
    (first >= Period::secs(10) && holds.all(|hold| hold == first)).then_some(first)
}

/// What guards the agent's replicas has to guard the stable copy too.
fn cover_primary(object: &mut Value, input: &Input) {
    let field = match object["kind"].as_str() {
        Some("PodDisruptionBudget") => "selector",
        Some("NetworkPolicy") => "podSelector",
        _ => return,
    };
    let selector = &mut object["spec"][field];
    if selector["matchLabels"][NAME] != input.agent() {
        return;
    }
    if let Some(labels) = selector["matchLabels"].as_object_mut() {
        labels.shift_remove(NAME);
    }
    let names = [input.agent().to_owned(), names::primary(input)];
    selector["matchExpressions"] = json!([{ "key": NAME, "operator": "In", "values": names }]);
}

fn canary(
    gates: &[(String, &MetricGate)],
    input: &Input,
    templates: &Templates,
) -> Result<Object, Failure> {
    let network = &input.spec.network;
    let router = router(input);
    let gateway = network.gateway.as_ref();
    let context = json!({
        "metadata": input.metadata(input.agent()),
        "provider": provider(router),
        "target": scale::target(input),
        "scaler": scale::scaler(input),
        "ingress": (router == Router::Nginx).then(|| json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": input.agent(),
        })),
        "port": input.spec.run.port,
        "hosts": network.host.as_ref().map(|host| [host]),
        "gateways": gateway.filter(|_| router == Router::Istio).map(|gateway| [gateway.as_str(), "mesh"]),
        "parents": (router == Router::Gateway).then(|| parents(input)),
        "policy": (router == Router::Istio).then(|| policy(input)),
        "retries": (router == Router::Istio).then(retries),
        "analysis": analysis(gates, input),
    });
    let template = template(Controller::Flagger);
    object("canary", template, &context, templates)
}

fn provider(router: Router) -> &'static str {
    match router {
        Router::Gateway => "gatewayapi:v1",
        Router::Istio => "istio",
        Router::Nginx => "nginx",
        Router::Auto | Router::Service => "kubernetes",
    }
}

/// The first failed check goes back, as a failed gate does.
fn analysis(gates: &[(String, &MetricGate)], input: &Input) -> Value {
    let Some(hold) = hold(input) else {
        return json!({ "interval": "60s", "threshold": 1, "iterations": 1 });
    };
    let interval = format!("{}s", probes::seconds(hold));
    let weights: Vec<u16> = weights(input)
        .map(|weight| weight.hundredths() / 100)
        .collect();
    let metrics: Vec<Value> = gates
        .iter()
        .map(|(name, gate)| {
            json!({
                "name": name,
                "templateRef": { "name": gate_name(input, name) },
                "thresholdRange": bounds(gate),
                "interval": interval,
            })
        })
        .collect();
    json!({
        "interval": interval,
        "threshold": 1,
        "stepWeights": weights,
        "metrics": metrics,
        "sessionAffinity": sticky(input),
    })
}

/// A cookie of its own, where the router can set one.
fn sticky(input: &Input) -> Option<Value> {
    let can = matches!(router(input), Router::Gateway | Router::Istio);
    let wanted = input.spec.rollout.sticky && conversation(input).is_some();
    let name = format!("{}-release", input.agent());
    let idle = probes::seconds(input.spec.drain.idle);
    (can && wanted).then(|| json!({ "cookieName": name, "maxAge": idle }))
}

fn gate_name(input: &Input, name: &str) -> String {
    format!("{}-{name}", input.agent())
}

fn metric_template(
    name: &str,
    gate: &MetricGate,
    input: &Input,
    templates: &Templates,
) -> Result<Object, Failure> {
    let pods = "pod=~\"{{ target }}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)\"";
    let figure = figure(&Queries::of(input).only(pods), gate, "{{ interval }}");
    let query = match (gate.unclear, gate.most().or(gate.least())) {
        // No answer counts as failed: one that is just good enough stands in for it.
        (Unclear::Pass, Some(bound)) => format!("({figure}) or vector({})", super::number(bound)),
        _ => figure,
    };
    let context = json!({
        "metadata": input.metadata(&gate_name(input, name)),
        "server": input.spec.observe.prometheus,
        "query": query,
    });
    let template = "kubernetes/metric-template.yaml";
    object(
        &format!("metric-template-{name}"),
        template,
        &context,
        templates,
    )
}
