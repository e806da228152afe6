//! Nobody calls a worker: each replica takes as much work as the others, so a release's share is that of
//! its replicas. What was ordered stands on a ConfigMap of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Router, mark, marked};
use crate::release::ReleaseId;
use crate::spec::Percent;
use crate::target::Traffic;
use crate::target::kubernetes::address;
use crate::target::kubernetes::cluster::MANAGER;
use crate::target::kubernetes::heard::Topic;
use crate::target::kubernetes::world::{NAME, Things, What};

pub(super) struct ByWork {
    pub(super) agent: String,
}

impl ByWork {
    fn note(&self) -> String {
        format!("{}-traffic", self.agent)
    }
}

impl Router for ByWork {
    fn name(&self) -> &'static str {
        "work"
    }

    fn listens(&self, namespace: &str) -> Option<Topic> {
        Some(Topic {
            path: address::all("v1", "ConfigMap", namespace),
            selectors: format!("&fieldSelector=metadata.name%3D{}", self.note()),
        })
    }

    fn owns(&self, _: &Value) -> bool {
        false
    }

    fn objects(&self, _: &[Value], _: &Things, traffic: &Traffic) -> Vec<(What, Value)> {
        let labels = json!({
            NAME: self.agent,
            "app.kubernetes.io/managed-by": MANAGER,
        });
        let mut note = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": self.note(), "labels": labels },
        });
        mark(&mut note, traffic);
        vec![(What::Routes, note)]
    }

    fn shares(&self, things: &Things) -> BTreeMap<ReleaseId, Percent> {
        let note = things.named(What::Routes, &self.note());
        note.and_then(marked).unwrap_or_default()
    }

    fn is_confirmed(&self, _: &Things, _: &Traffic) -> bool {
        true
    }

    fn url(&self, _: &Things) -> Option<String> {
        None
    }
}
