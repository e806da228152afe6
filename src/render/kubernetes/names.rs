//! What objects are called, and the labels that they find one another by.

use serde_json::{Map, Value, json};

use crate::render::Input;
use crate::render::filled::filled;
use crate::spec::{Kind, Router, TargetSpec};

const NAME: &str = "app.kubernetes.io/name";

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

    /// What makes the replicas. Two at a time would run a schedule twice, or begin with empty disks:
    /// such kinds are changed in place, and carry no release in their name.
    pub(super) fn workload(&self) -> String {
        match self.changes_in_place() {
            true => self.agent().to_owned(),
            false => self.release_name(),
        }
    }

    fn changes_in_place(&self) -> bool {
        let kind = self.spec.agent.kind;
        matches!(kind, Kind::Stateful | Kind::Cron | Kind::Daemon)
    }

    /// What belongs to one release is named by it: `support-agent-r13`.
    pub(crate) fn release_name(&self) -> String {
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
        self.target.minor()
    }

    /// What every replica of every release of the agent is found by.
    pub(super) fn selector(&self) -> Map<String, Value> {
        Map::from_iter([(NAME.to_owned(), json!(self.agent()))])
    }

    /// What the replicas of this release are found by.
    pub(super) fn release_selector(&self) -> Map<String, Value> {
        let mut selector = self.selector();
        if let Some(release) = self.release {
            selector.insert(RELEASE.to_owned(), json!(release.to_string()));
        }
        selector
    }

    /// What the workload knows its replicas by; it cannot be changed later.
    pub(super) fn workload_selector(&self) -> Map<String, Value> {
        match self.changes_in_place() {
            true => self.selector(),
            false => self.release_selector(),
        }
    }

    /// The labels of a replica.
    pub(super) fn replica_labels(&self) -> Map<String, Value> {
        let mut labels = self.labels();
        labels.extend(self.release_selector());
        labels
    }

    /// Whether requests go through the proxies of Istio.
    pub(super) fn in_mesh(&self) -> bool {
        self.spec.network.router == Router::Istio
    }

    /// What the pods of something beside the agent are found by; never by what finds its replicas.
    pub(super) fn beside_selector(&self, name: &str) -> Map<String, Value> {
        Map::from_iter([
            (NAME.to_owned(), json!(name)),
            ("app.kubernetes.io/part-of".to_owned(), json!(self.agent())),
        ])
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
        labels
    }

    /// What is written for people has any form, and so cannot be a label.
    fn annotations(&self) -> Option<Map<String, Value>> {
        let agent = &self.spec.agent;
        let texts = [
            ("agentctl.dev/description", &agent.description),
            ("agentctl.dev/team", &agent.team),
        ];
        let given = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
        let given: Map<String, Value> = given.collect();
        filled(given)
    }

    /// `metadata` of an object with this name.
    pub(super) fn metadata(&self, name: &str) -> Value {
        self.named(name, self.labels())
    }

    /// `metadata` of an object that belongs to one release.
    pub(super) fn release_metadata(&self, name: &str) -> Value {
        self.named(name, self.replica_labels())
    }

    fn named(&self, name: &str, labels: Map<String, Value>) -> Value {
        json!({
            "name": name,
            "namespace": self.namespace(),
            "labels": labels,
            "annotations": self.annotations(),
        })
    }
}
