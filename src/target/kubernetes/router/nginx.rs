//! ingress-nginx: an Ingress, and one that is marked as its canary. Nothing tells whether the
//! controller knows of a change.
//!
//! The canary is applied first, with the share of the newer release; alone, that release has both. So
//! nobody without a share gets a request in between.

use serde_json::{Map, Value, json};

use super::route::{Backend, Form, Split, renamed};
use crate::render::{nginx_chosen, nginx_copies};

pub(super) const FORM: Form = Form {
    name: "nginx",
    kind: "Ingress",
    split,
    weights,
    lacks: |_| None,
    url,
};

const CANARY: &str = "nginx.ingress.kubernetes.io/canary";
const WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";
const TOTAL: &str = "nginx.ingress.kubernetes.io/canary-weight-total";

/// A canary takes no other annotations than its own, and those on how requests are sent.
const SENDING: &str = "nginx.ingress.kubernetes.io/proxy-";

fn split(route: &Value, split: &Split) -> Vec<Value> {
    let (Some((older, _)), Some(last)) = (split.weights.first(), split.weights.last()) else {
        return Vec::new();
    };
    let (newer, weight) = match &split.chosen {
        Some((to, _)) => (to, 0),
        None => (&last.0, last.1),
    };
    let mut canary = renamed(route, &format!("{}-candidate", split.agent));
    leads_to(&mut canary, newer);
    let annotations = canary["metadata"]["annotations"].as_object();
    let mut annotations: Map<String, Value> = annotations.cloned().unwrap_or_default();
    let is_of_another = |key: &str| key.contains("nginx.") && !key.starts_with(SENDING);
    annotations.retain(|key, _| !is_of_another(key));
    for (key, value) in [
        (CANARY, "true".to_owned()),
        (WEIGHT, weight.to_string()),
        (TOTAL, split.total.to_string()),
    ] {
        annotations.insert(key.to_owned(), json!(value));
    }
    let says = split.chosen.as_ref().map(|(_, says)| nginx_chosen(says));
    annotations.extend(says.into_iter().flatten());
    canary["metadata"]["annotations"] = Value::Object(annotations);
    let mut main = route.clone();
    leads_to(&mut main, older);
    if let Some((to, _)) = &split.copies {
        let (key, target) = nginx_copies(&to.service, &split.namespace, to.port);
        main["metadata"]["annotations"][key] = target;
    }
    vec![canary, main]
}

fn backend(ingress: &Value) -> &Value {
    &ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"]
}

fn leads_to(ingress: &mut Value, to: &Backend) {
    let service = &mut ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    *service = json!({ "name": to.service, "port": { "number": to.port } });
}

fn weights(routes: &[&Value]) -> Vec<(String, u64)> {
    let number = |ingress: &Value, key: &str| {
        let text = ingress["metadata"]["annotations"][key].as_str();
        text.and_then(|text| text.parse::<u64>().ok())
    };
    let is_canary = |ingress: &&&Value| ingress["metadata"]["annotations"][CANARY] == "true";
    let name = |ingress: &Value| backend(ingress).as_str().unwrap_or_default().to_owned();
    let canary = routes.iter().find(is_canary);
    let main = routes.iter().find(|ingress| !is_canary(ingress));
    let Some(main) = main.map(|main| name(main)) else {
        return Vec::new();
    };
    let Some(canary) = canary.filter(|canary| name(canary) != main) else {
        return vec![(main, 100)];
    };
    let total = number(canary, TOTAL).unwrap_or(100);
    let weight = number(canary, WEIGHT).unwrap_or_default().min(total);
    vec![(main, total - weight), (name(canary), weight)]
}

fn url(ingress: &Value) -> Option<String> {
    let host = ingress["spec"]["rules"][0]["host"].as_str()?;
    let scheme = match ingress["spec"]["tls"].is_array() {
        true => "https",
        false => "http",
    };
    Some(format!("{scheme}://{host}"))
}
