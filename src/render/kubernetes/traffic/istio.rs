//! Istio: a VirtualService that splits, and for each Service a DestinationRule that says how its
//! replicas are spoken to.

use serde_json::{Value, json};

use super::{Backends, conversation, cookie_pattern, mirrored};
use crate::render::Input;
use crate::render::kubernetes::{Part, probes};
use crate::spec::{ConversationKey, Says};

pub(super) fn parts(input: &Input) -> Vec<Part> {
    let backends = Backends::of(input);
    let mut parts = vec![route(input, &backends)];
    parts.extend(backends.weighted().into_iter().map(|(service, _)| {
        let context = rule(input, service);
        let file = match service == backends.stable {
            true => "destination-rule",
            false => "destination-rule-candidate",
        };
        Part::new("kubernetes/destination-rule.yaml", file, context)
    }));
    parts
}

fn route(input: &Input, backends: &Backends) -> Part {
    let port = input.spec.run.port;
    let host = &input.spec.network.host;
    let hosts: Vec<&str> = host.as_deref().into_iter().chain([input.agent()]).collect();
    // Who calls the Service by its name inside the mesh is split too.
    let gateways = input.spec.network.gateway.as_deref();
    let gateways = gateways.map(|gateway| vec![gateway, "mesh"]);
    let mirror = mirrored(backends, &input.traffic);
    let says = !input.traffic.matches.is_empty();
    let context = json!({
        "metadata": input.metadata(input.agent()),
        "hosts": hosts,
        "gateways": gateways,
        "port": port,
        "matches": says.then(|| matches(&input.traffic.matches)),
        "candidate": backends.candidate.as_ref().map(|(name, _)| name),
        "backends": backends.weighted(),
        "mirror": mirror.map(|(name, _)| name),
        "mirror_share": mirror.map(|(_, share)| share),
        "retries": retries(),
    });
    let template = "kubernetes/virtual-service.yaml";
    Part::new(template, "virtual-service", context)
}

/// Only of what no replica has begun: an agent's turn is not done twice.
pub(in crate::render::kubernetes) fn retries() -> Value {
    json!({ "attempts": 2, "retryOn": "connect-failure,refused-stream" })
}

/// Of a rule for requests that say one of these.
pub(crate) fn matches(says: &[Says]) -> Vec<Value> {
    let each = says.iter().map(|Says { key, value }| match key {
        ConversationKey::Header(name) => {
            json!({ "headers": { name.to_lowercase(): { "exact": value } } })
        }
        ConversationKey::Cookie(name) => {
            json!({ "headers": { "cookie": { "regex": cookie_pattern(name, value) } } })
        }
        ConversationKey::Query(name) | ConversationKey::Json(name) => {
            json!({ "queryParams": { name: { "exact": value } } })
        }
    });
    each.collect()
}

fn rule(input: &Input, service: &str) -> Value {
    // It goes with the release whose replicas it is about.
    let metadata = match service == input.release_name() {
        true => input.release_metadata(service),
        false => input.metadata(service),
    };
    json!({ "metadata": metadata, "host": service, "policy": policy(input) })
}

/// How replicas are spoken to: one that keeps failing is left out for a while; half of them stay in any
/// case.
pub(in crate::render::kubernetes) fn policy(input: &Input) -> Value {
    let health = &input.spec.health;
    let sticky = input.spec.rollout.sticky;
    let hash = sticky.then(|| conversation(input)).flatten();
    json!({
        "tls": { "mode": "ISTIO_MUTUAL" },
        "loadBalancer": hash.map(|key| json!({ "consistentHash": hash_by(key, input) })),
        "outlierDetection": {
            "consecutive5xxErrors": health.failures,
            "interval": format!("{}s", probes::seconds(health.every)),
            "baseEjectionTime": "30s",
            "maxEjectionPercent": 50,
        },
    })
}

/// Requests of one conversation go to the same replica.
fn hash_by(key: &ConversationKey, input: &Input) -> Value {
    let idle = format!("{}s", probes::seconds(input.spec.drain.idle));
    match key {
        ConversationKey::Header(name) => json!({ "httpHeaderName": name }),
        ConversationKey::Cookie(name) => json!({ "httpCookie": { "name": name, "ttl": idle } }),
        ConversationKey::Query(name) | ConversationKey::Json(name) => {
            json!({ "httpQueryParameterName": name })
        }
    }
}
