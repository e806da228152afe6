//! Gateway API: the backends of one HTTPRoute. Whoever runs the Gateway says on the route whether it
//! follows it.

use serde_json::{Value, json};

use super::route::{Backend, Form, Split, against, ruled};
use crate::render::{gateway_copies, gateway_matches};
use crate::spec::Says;

pub(super) const FORM: Form = Form {
    name: "gateway",
    kind: "HTTPRoute",
    split,
    weights,
    lacks,
    url,
};

fn split(route: &Value, split: &Split) -> Vec<Value> {
    ruled(route, "rules", split, chosen, everyone)
}

fn chosen(rule: &mut Value, to: &Backend, says: &[Says]) {
    rule["matches"] = json!(gateway_matches(says));
    rule["backendRefs"] = json!([{ "name": to.service, "port": to.port }]);
}

fn everyone(rule: &mut Value, split: &Split) {
    let backends = split.weights.iter();
    let backends: Vec<Value> = backends
        .map(|(to, weight)| json!({ "name": to.service, "port": to.port, "weight": weight }))
        .collect();
    rule["backendRefs"] = json!(backends);
    if let Some((to, share)) = &split.copies {
        let mut filters = rule["filters"].as_array().cloned().unwrap_or_default();
        filters.push(gateway_copies(&to.service, to.port, *share));
        rule["filters"] = json!(filters);
    }
}

fn weights(routes: &[&Value]) -> Vec<(String, u64)> {
    let rules = routes
        .iter()
        .filter_map(|route| route["spec"]["rules"].as_array()?.last());
    let backends = rules
        .filter_map(|rule| rule["backendRefs"].as_array())
        .flatten();
    backends
        .map(|backend| {
            let name = backend["name"].as_str().unwrap_or_default().to_owned();
            (name, backend["weight"].as_u64().unwrap_or(1))
        })
        .collect()
}

/// Each Gateway that it hangs on has accepted it, and found its backends.
fn lacks(route: &Value) -> Option<String> {
    let name = route["metadata"]["name"].as_str().unwrap_or_default();
    let told = route["status"]["parents"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let parents = route["spec"]["parentRefs"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    parents.iter().find_map(|parent| {
        let gateway = parent["name"].as_str().unwrap_or_default();
        let told = told
            .iter()
            .find(|told| told["parentRef"]["name"] == gateway);
        let against = match told {
            None => Some("it was not looked at yet".to_owned()),
            Some(told) => against(route, &told["conditions"], &["Accepted", "ResolvedRefs"]),
        };
        against.map(|why| format!("HTTPRoute {name} at the Gateway {gateway}: {why}"))
    })
}

fn url(route: &Value) -> Option<String> {
    let host = route["spec"]["hostnames"][0].as_str()?;
    Some(format!("http://{host}"))
}
