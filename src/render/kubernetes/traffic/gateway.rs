//! Gateway API: one HTTPRoute.

use serde_json::{Value, json};

use super::{Backends, cookie_pattern, mirrored};
use crate::render::kubernetes::Part;
use crate::render::{Input, Match};
use crate::spec::Percent;

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
    let mirror = mirrored(backends, &input.traffic).map(|(name, share)| mirror(name, port, share));
    let everyone = json!({ "backendRefs": everyone, "filters": mirror.map(|mirror| vec![mirror]) });
    let chosen = chosen(&input.traffic.matches)
        .zip(backends.candidate.as_ref())
        .map(|(matches, (name, _))| {
            json!({ "matches": matches, "backendRefs": [{ "name": name, "port": port }] })
        });
    chosen.into_iter().chain([everyone]).collect()
}

/// Requests with any of these go to the candidate.
fn chosen(matches: &[Match]) -> Option<Vec<Value>> {
    let each = matches
        .iter()
        .map(|one| json!({ "headers": [header(one)] }));
    (!matches.is_empty()).then(|| each.collect())
}

fn header(one: &Match) -> Value {
    match one {
        Match::Header { name, value } => json!({ "name": name, "value": value }),
        Match::Cookie { name, value } => json!({
            "type": "RegularExpression", "name": "Cookie", "value": cookie_pattern(name, value),
        }),
    }
}

fn mirror(name: &str, port: u16, share: Percent) -> Value {
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
