//! What objects are called, and the labels that they find one another by.

use serde_json::{Map, Value, json};

use crate::render::Input;
use crate::spec::TargetSpec;

/// The label that tells the releases of an agent apart.
pub(super) const RELEASE: &str = "agentctl.dev/release";

/// Flagger's copy of the Deployment, which its replicas are labelled with too.
pub(super) fn primary(input: &Input) -> String {
    format!("{}-primary", input.agent())
}

impl Input {
    pub(super) fn agent(&self) -> &str {
        &self.spec.agent.name
    }

    /// What belongs to one release is named by it: `support-agent-r13`.
    pub(super) fn workload(&self) -> String {
        match self.release {
            Some(release) => format!("{}-{release}", self.agent()),
            None => self.agent().to_owned(),
        }
    }

    pub(super) fn namespace(&self) -> Option<&str> {
        match &self.target {
            TargetSpec::Kubernetes { namespace, .. } => namespace.as_deref(),
            _ => None,
        }
    }

    /// The cluster's minor version; the newest where none is given.
    pub(super) fn minor(&self) -> u32 {
        let version = match &self.target {
            TargetSpec::Kubernetes { version, .. } => version.as_deref(),
            _ => None,
        };
        let minor = version.and_then(|version| version.strip_prefix("1.")?.parse().ok());
        minor.unwrap_or(u32::MAX)
    }

    /// What every replica of every release of the agent is found by.
    pub(super) fn selector(&self) -> Map<String, Value> {
        Map::from_iter([("app.kubernetes.io/name".to_owned(), json!(self.agent()))])
    }

    /// What the replicas of this release are found by.
    pub(super) fn release_selector(&self) -> Map<String, Value> {
        let mut selector = self.selector();
        if let Some(release) = self.release {
            selector.insert(RELEASE.to_owned(), json!(release.to_string()));
        }
        selector
    }

    /// The labels of everything that belongs to the agent.
    pub(super) fn labels(&self) -> Map<String, Value> {
        let agent = &self.spec.agent;
        let own = agent
            .labels
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)));
        let mut labels: Map<String, Value> = own.collect();
        labels.extend(self.selector());
        labels.insert("app.kubernetes.io/managed-by".to_owned(), json!("agentctl"));
        if let Some(version) = &agent.version {
            labels.insert("app.kubernetes.io/version".to_owned(), json!(version));
        }
        if let Some(team) = &agent.team {
            labels.insert("agentctl.dev/team".to_owned(), json!(team));
        }
        labels
    }

    /// `metadata` of an object with this name.
    pub(super) fn metadata(&self, name: &str) -> Value {
        json!({ "name": name, "namespace": self.namespace(), "labels": self.labels() })
    }

    /// `metadata` of an object that belongs to one release.
    pub(super) fn release_metadata(&self, name: &str) -> Value {
        let mut labels = self.labels();
        labels.extend(self.release_selector());
        json!({ "name": name, "namespace": self.namespace(), "labels": labels })
    }
}
