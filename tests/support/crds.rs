//! Custom resources in a cluster: their definitions from a folder of them, without what an old
//! cluster does not take; where there is no folder, definitions that take anything.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::repository;

/// As they are served: group, version, kind.
pub(crate) const GATEWAY: [(&str, &str, &str); 1] =
    [("gateway.networking.k8s.io", "v1", "HTTPRoute")];
pub(crate) const ISTIO: [(&str, &str, &str); 2] = [
    ("networking.istio.io", "v1", "VirtualService"),
    ("networking.istio.io", "v1", "DestinationRule"),
];

/// Keywords of schemas that came later than the oldest cluster.
const LATER: [&str; 2] = ["x-kubernetes-validations", "selectableFields"];

impl Cluster {
    /// Serves these kinds from now on.
    pub(crate) fn serves(&self, kinds: &[(&str, &str, &str)]) {
        let definitions: Vec<Value> = kinds.iter().map(|kind| definition(*kind)).collect();
        self.apply(&definitions).unwrap();
        for definition in &definitions {
            let name = format!("crd/{}", definition["metadata"]["name"].as_str().unwrap());
            let wait = [
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                &name,
            ];
            self.kubectl(&wait).unwrap();
        }
    }
}

fn definition(kind: (&str, &str, &str)) -> Value {
    let mut definition = in_folder(kind).unwrap_or_else(|| that_takes_anything(kind));
    let metadata = definition["metadata"].as_object_mut().unwrap();
    metadata.retain(|key, _| key == "name" || key == "annotations");
    definition.as_object_mut().unwrap().remove("status");
    simplify(&mut definition);
    definition
}

fn in_folder((group, _, kind): (&str, &str, &str)) -> Option<Value> {
    let told = env::var_os("AGENTCTL_TEST_CRDS").map(PathBuf::from);
    let folder = told.unwrap_or_else(|| repository().join("../shared/crds"));
    let mut files = fs::read_dir(folder).ok()?;
    let (group, kind) = (
        format!("\n  group: {group}\n"),
        format!("\n    kind: {kind}\n"),
    );
    files.find_map(|file| {
        let text = fs::read_to_string(file.ok()?.path()).ok()?;
        let mut documents = text.split("\n---");
        let found = documents.find(|text| text.contains(&group) && text.contains(&kind))?;
        Some(serde_yaml::from_str(found).unwrap())
    })
}

fn that_takes_anything((group, version, kind): (&str, &str, &str)) -> Value {
    let (one, all) = (kind.to_lowercase(), format!("{}s", kind.to_lowercase()));
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{all}.{group}"),
            // What belongs to the project's own groups is kept for who has its approval.
            "annotations": { "api-approved.kubernetes.io": "unapproved, for tests" },
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": { "kind": kind, "singular": one, "plural": all, "listKind": format!("{kind}List") },
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": { "openAPIV3Schema": schema },
                "subresources": { "status": {} },
            }],
        },
    })
}

fn simplify(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, value| !is_later(key, value));
            fields.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// An empty default is taken for none at all there.
fn is_later(key: &str, value: &Value) -> bool {
    let is_empty = value.is_null() || value == "";
    LATER.contains(&key) || (key == "default" && is_empty)
}
