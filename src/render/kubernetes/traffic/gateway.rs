//! Gateway API: one HTTPRoute.

use serde_json::{Value, json};

use super::{Backends, cookie_pattern, mirrored};
use crate::render::Input;
use crate::render::kubernetes::Part;
use crate::spec::{ConversationKey, Percent, Says};

pub(super) fn parts(input: &Input) -> Vec<Part> {
    let backends = Backends::of(input);
    let context = json!({
        "metadata": input.metadata(input.agent()),
        "parents": parents(input),
        "hosts": input.spec.network.host.as_ref().map(|host| vec![host]),
        "rules": rules(input, &backends),
    });
    vec![Part::new(
        "kubernetes/http-route.yaml",
        "http-route",
        context,
    )]
}

/// The Gateway, as a route names it.
pub(in crate::render::kubernetes) fn parents(input: &Input) -> Option<Vec<Value>> {
    let gateway = input.spec.network.gateway.as_ref()?;
    let parent = match gateway.split_once('/') {
        Some((namespace, name)) => json!({ "namespace": namespace, "name": name }),
        None => json!({ "name": gateway }),
    };
    Some(vec![parent])
}

/// A rule with a match wins over one without.
fn rules(input: &Input, backends: &Backends) -> Vec<Value> {
    let port = input.spec.run.port;
    let everyone = backends
        .weighted()
        .into_iter()
        .map(|(name, weight)| json!({ "name": name, "port": port, "weight": weight }));
    let everyone: Vec<Value> = everyone.collect();
    let copies = mirrored(backends, &input.traffic).map(|(name, share)| copies(name, port, share));
    let everyone = json!({ "backendRefs": everyone, "filters": copies.map(|copies| vec![copies]) });
    let candidate = backends.candidate.as_ref();
    let candidate = candidate.filter(|_| !input.traffic.matches.is_empty());
    let chosen = candidate.map(|(name, _)| {
        json!({
            "matches": matches(&input.traffic.matches),
            "backendRefs": [{ "name": name, "port": port }],
        })
    });
    chosen.into_iter().chain([everyone]).collect()
}

/// Of a rule for requests that say one of these.
pub(crate) fn matches(says: &[Says]) -> Vec<Value> {
    let each = says.iter().map(|Says { key, value }| match key {
        ConversationKey::Header(name) => json!({ "headers": [{ "name": name, "value": value }] }),
        ConversationKey::Cookie(name) => json!({ "headers": [{
            "type": "RegularExpression", "name": "Cookie", "value": cookie_pattern(name, value),
        }] }),
        ConversationKey::Query(name) | ConversationKey::Json(name) => {
            json!({ "queryParams": [{ "name": name, "value": value }] })
        }
    });
    each.collect()
}

/// The filter by which this Service gets a copy of such a share of the requests.
pub(crate) fn copies(name: &str, port: u16, share: Percent) -> Value {
    let backend = json!({ "name": name, "port": port });
    let mirror = match share.in_whole_numbers() {
        (percent, 100) => json!({ "backendRef": backend, "percent": percent }),
        (share, all) => json!({
            "backendRef": backend,
            "fraction": { "numerator": share, "denominator": all },
        }),
    };
    json!({ "type": "RequestMirror", "requestMirror": mirror })
}
