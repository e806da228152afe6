//! What one container is made of: the values of `templates/compose/container.yaml`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::text;
use crate::render::filled::filled;
use crate::spec::{Kind, Resources};

/// Each key of the template; what is not there is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Container {
    pub(super) image: String,
    pub(super) build: Option<Value>,
    pub(super) profiles: Option<Vec<String>>,
    pub(super) command: Option<Vec<String>>,
    pub(super) environment: Option<Map<String, Value>>,
    pub(super) labels: Option<Map<String, Value>>,
    pub(super) restart: Option<String>,
    pub(super) user: String,
    pub(super) capabilities: Option<Vec<&'static str>>,
    pub(super) network: Option<String>,
    pub(super) ports: Option<Vec<Value>>,
    pub(super) depends_on: Option<Map<String, Value>>,
    pub(super) healthcheck: Option<Value>,
    pub(super) tmpfs: Option<Vec<String>>,
    pub(super) volumes: Option<Vec<Value>>,
    pub(super) secrets: Option<Vec<Value>>,
    pub(super) configs: Option<Vec<Value>>,
    pub(super) shared_memory: Option<u64>,
    pub(super) deploy: Option<Value>,
    pub(super) grace: Option<String>,
}

/// The user, and a group of the same number.
pub(super) fn user(id: u32) -> String {
    format!("{id}:{id}")
}

/// Folders in memory, for all to write to and to start programs from, as in a cluster.
pub(super) fn tmpfs<'p>(paths: impl IntoIterator<Item = &'p str>) -> Option<Vec<String>> {
    let folders: Vec<String> = paths
        .into_iter()
        .map(|path| format!("{path}:exec,mode=1777"))
        .collect();
    filled(folders)
}

/// A file or folder beside compose.yaml, or a named volume, at its place.
pub(super) fn mount(kind: &str, source: &str, target: &str, read_only: bool) -> Value {
    let mut mount = json!({ "type": kind, "source": source, "target": target });
    if read_only {
        mount["read_only"] = json!(true);
    }
    mount
}

/// What is kept running, and what runs once.
pub(super) fn restart(kind: Kind, retries: u32) -> String {
    match (kind, retries) {
        (Kind::Job, 0) => "no".to_owned(),
        (Kind::Job, retries) => format!("on-failure:{retries}"),
        _ => ALWAYS.to_owned(),
    }
}

pub(super) const ALWAYS: &str = "unless-stopped";

/// `deploy`: how many, what each may use, and what is set aside for it.
pub(super) fn deploy(replicas: u32, resources: &Resources, gpus: Option<u32>) -> Option<Value> {
    let memory = resources.memory_limit.as_ref();
    // Memory has a limit in any case, as in a cluster.
    let memory = memory.or(resources.memory.as_ref());
    let limits = amounts(
        resources.cpu_limit.as_ref().map(text::processors),
        memory.map(text::bytes),
    );
    let mut reserved = amounts(
        resources.cpu.as_ref().map(text::processors),
        resources.memory.as_ref().map(text::bytes),
    );
    if let Some(count) = gpus {
        let device = json!({ "driver": "nvidia", "count": count, "capabilities": ["gpu"] });
        reserved.insert("devices".to_owned(), json!([device]));
    }
    let mut deploy = Map::new();
    if replicas != 1 {
        deploy.insert("replicas".to_owned(), json!(replicas));
    }
    let all = [("limits", limits), ("reservations", reserved)];
    let all = all.into_iter().filter(|(_, amounts)| !amounts.is_empty());
    let all: Map<String, Value> = all
        .map(|(name, map)| (name.to_owned(), json!(map)))
        .collect();
    if !all.is_empty() {
        deploy.insert("resources".to_owned(), json!(all));
    }
    filled(deploy).map(Value::Object)
}

fn amounts(cpus: Option<String>, memory: Option<String>) -> Map<String, Value> {
    let given = [("cpus", cpus), ("memory", memory)];
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect()
}
