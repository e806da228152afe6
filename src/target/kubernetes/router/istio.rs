//! Istio: the destinations of one VirtualService. It says nothing about whether its proxies know of a
//! change, unless it was told to; then that is waited for.

use serde_json::{Value, json};

use super::route::{Backend, Form, Split, against, ruled};
use crate::render::istio_matches;
use crate::spec::Says;

pub(super) const FORM: Form = Form {
    name: "istio",
    kind: "VirtualService",
    split,
    weights,
    lacks,
    url,
};

fn split(route: &Value, split: &Split) -> Vec<Value> {
    ruled(route, "http", split, chosen, everyone)
}

fn chosen(rule: &mut Value, to: &Backend, says: &[Says]) {
    rule["name"] = json!("chosen");
    rule["match"] = json!(istio_matches(says));
    rule["route"] = json!([{ "destination": destination(to) }]);
}

/// Istio's weights are of a hundred.
fn everyone(rule: &mut Value, split: &Split) {
    let backends = split.weights.iter();
    let backends: Vec<Value> = backends
        .map(|(to, weight)| json!({ "destination": destination(to), "weight": weight }))
        .collect();
    rule["route"] = json!(backends);
    if let Some((to, share)) = &split.copies {
        rule["mirror"] = destination(to);
        rule["mirrorPercentage"] = json!({ "value": share });
    }
}

fn destination(to: &Backend) -> Value {
    json!({ "host": to.service, "port": { "number": to.port } })
}

fn weights(routes: &[&Value]) -> Vec<(String, u64)> {
    let rules = routes
        .iter()
        .filter_map(|route| route["spec"]["http"].as_array()?.last());
    let backends = rules.filter_map(|rule| rule["route"].as_array()).flatten();
    backends
        .map(|backend| {
            let host = backend["destination"]["host"].as_str().unwrap_or_default();
            (host.to_owned(), backend["weight"].as_u64().unwrap_or(100))
        })
        .collect()
}

fn lacks(route: &Value) -> Option<String> {
    let conditions = &route["status"]["conditions"];
    let all = conditions.as_array().map_or(&[][..], Vec::as_slice);
    let tells = all
        .iter()
        .any(|condition| condition["type"] == "Reconciled");
    let name = route["metadata"]["name"].as_str().unwrap_or_default();
    let against = tells
        .then(|| against(route, conditions, &["Reconciled"]))
        .flatten();
    against.map(|why| format!("VirtualService {name}: {why}"))
}

/// Without a gateway it is for callers inside the mesh.
fn url(route: &Value) -> Option<String> {
    route["spec"]["gateways"].as_array()?;
    let host = route["spec"]["hosts"][0].as_str()?;
    Some(format!("http://{host}"))
}
