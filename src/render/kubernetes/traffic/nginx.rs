//! ingress-nginx: an Ingress for the stable release, and one marked as its canary.

use serde_json::{Map, Value, json};

use super::{Backends, conversation, mirrored};
use crate::render::kubernetes::{Part, probes};
use crate::render::{Failure, Input};
use crate::spec::{ConversationKey, Percent, Says, beyond_nginx};

const TEMPLATE: &str = "kubernetes/ingress.yaml";
const PREFIX: &str = "nginx.ingress.kubernetes.io";

pub(super) fn parts(input: &Input) -> Result<Vec<Part>, Failure> {
    let backends = Backends::of(input);
    let says = &input.traffic.matches;
    if let Some(why) = beyond_nginx(says) {
        return refuse(why);
    }
    let mut annotations = streams();
    annotations.extend(sticky(input));
    annotations.extend(copied(input, &backends)?);
    let stable = ingress(input, input.agent(), &backends.stable, annotations);
    let mut parts = vec![Part::new(TEMPLATE, "ingress", stable)];
    // Argo Rollouts makes the second one itself.
    if let (Some((service, weight)), None) = (&backends.candidate, input.traffic.by) {
        let mut annotations = streams();
        // A canary takes over all annotations of the other but these.
        annotations.extend(sticky(input));
        annotations.extend(share(*weight));
        annotations.extend(chosen(says));
        let name = super::candidate_service(input);
        let canary = ingress(input, &name, service, annotations);
        parts.push(Part::new(TEMPLATE, "ingress-candidate", canary));
    }
    Ok(parts)
}

fn ingress(input: &Input, name: &str, service: &str, annotations: Map<String, Value>) -> Value {
    let network = &input.spec.network;
    let mut metadata = input.metadata(name);
    let own = metadata["annotations"].as_object().cloned();
    let all: Map<String, Value> = own.into_iter().flatten().chain(annotations).collect();
    metadata["annotations"] = json!(all);
    json!({
        "metadata": metadata,
        "host": network.host,
        "tls": network.tls.as_ref().map(|secret| json!([{ "hosts": [network.host], "secretName": secret }])),
        "service": service,
        "port": input.spec.run.port,
    })
}

fn annotation(name: &str, value: impl Into<Value>) -> (String, Value) {
    (format!("{PREFIX}/{name}"), value.into())
}

/// Agents stream for minutes: nothing may be held back, or cut after the usual one.
fn streams() -> Map<String, Value> {
    Map::from_iter([
        annotation("proxy-buffering", "off"),
        annotation("proxy-read-timeout", "3600"),
        annotation("proxy-send-timeout", "3600"),
    ])
}

fn share(weight: Percent) -> Vec<(String, Value)> {
    let (weight, total) = weight.in_whole_numbers();
    vec![
        annotation("canary", "true"),
        annotation("canary-weight", weight.to_string()),
        annotation("canary-weight-total", total.to_string()),
    ]
}

/// Of the canary, by which requests that say this go to it; what nginx cannot tell is left out.
pub(crate) fn chosen(says: &[Says]) -> Vec<(String, Value)> {
    let each = says.iter().flat_map(|Says { key, value }| match key {
        ConversationKey::Header(name) => vec![
            annotation("canary-by-header", name.as_str()),
            annotation("canary-by-header-value", value.as_str()),
        ],
        ConversationKey::Cookie(name) => vec![annotation("canary-by-cookie", name.as_str())],
        ConversationKey::Query(_) | ConversationKey::Json(_) => Vec::new(),
    });
    each.collect()
}

/// By a cookie of nginx's own where the agent sets one: the first request of a conversation has none
/// yet, and by an empty one all would go to the same replica. Else by the first conversation key
/// that nginx has a variable for.
fn sticky(input: &Input) -> Vec<(String, Value)> {
    let key = conversation(input).filter(|_| input.spec.rollout.sticky);
    let hashed = |by: String| match is_word(&by[1..]) {
        true => vec![annotation("upstream-hash-by", by)],
        false => Vec::new(),
    };
    match key {
        None | Some(ConversationKey::Json(_)) => Vec::new(),
        Some(ConversationKey::Cookie(_)) => own_cookie(input),
        Some(ConversationKey::Header(name)) => {
            hashed(format!("$http_{}", name.to_lowercase().replace('-', "_")))
        }
        Some(ConversationKey::Query(name)) => hashed(format!("$arg_{name}")),
    }
}

fn own_cookie(input: &Input) -> Vec<(String, Value)> {
    let idle = probes::seconds(input.spec.drain.idle).to_string();
    vec![
        annotation("affinity", "cookie"),
        annotation("affinity-mode", "persistent"),
        annotation("session-cookie-name", format!("{}-replica", input.agent())),
        annotation("session-cookie-max-age", idle),
    ]
}

fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn copied(input: &Input, backends: &Backends) -> Result<Option<(String, Value)>, Failure> {
    let Some((service, share)) = mirrored(backends, &input.traffic) else {
        return Ok(None);
    };
    if share != Percent::FULL {
        return refuse("ingress-nginx copies all requests or none");
    }
    // The controller looks it up from a namespace of its own.
    let Some(namespace) = input.namespace() else {
        return refuse("ingress-nginx copies requests to a Service of a namespace that is named");
    };
    Ok(Some(copies(service, namespace, input.spec.run.port)))
}

/// Of the Ingress, by which this Service gets a copy of all requests.
pub(crate) fn copies(service: &str, namespace: &str, port: u16) -> (String, Value) {
    let target = format!("http://{service}.{namespace}.svc:{port}$request_uri");
    annotation("mirror-target", target)
}

fn refuse<T>(message: &str) -> Result<T, Failure> {
    Err(Failure::refused(message))
}
