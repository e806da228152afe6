use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Build, Drain, Gpu, Health, Image, LlmJudge, MetricGate, Network, Nodes, Notify, Observe,
    Period, Resources, Rollback, Rollout, Runtime, Scale, SecretStore, Service, Sidecar, Template,
    Tool, Volume,
};

/// One agent in one environment: `agent.toml` with that environment laid over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) agent: Agent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) build: Option<Build>,
    #[serde(default)]
    pub(crate) image: Image,
    #[serde(default)]
    pub(crate) run: Run,
    #[serde(default)]
    pub(crate) health: Health,
    #[serde(default)]
    pub(crate) drain: Drain,
    #[serde(default)]
    pub(crate) config: Config,
    /// Named values that are put in only where the agent is started; each is also a variable of
    /// the agent's environment.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "own-variable"}))]
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    /// Where the values of `vault` and `external` secrets are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) stores: BTreeMap<String, SecretStore>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale: Option<Scale>,
    #[serde(default)]
    pub(crate) network: Network,
    #[serde(default)]
    pub(crate) observe: Observe,
    /// What the agent needs beside it, like a database or a model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) services: BTreeMap<String, Service>,
    /// MCP servers that the agent calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) tools: BTreeMap<String, Tool>,
    /// Helpers beside each replica that see its disks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) sidecars: BTreeMap<String, Sidecar>,
    #[serde(default)]
    pub(crate) rollout: Rollout,
    #[serde(default)]
    pub(crate) gate: Vec<MetricGate>,
    /// Models that judge what the agent replies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) judges: BTreeMap<String, LlmJudge>,
    #[serde(default)]
    pub(crate) rollback: Rollback,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify: Option<Notify>,
}

impl Spec {
    /// What its containers are told to start; empty: what their image starts. A Dockerfile of
    /// agentctl's own was written to start it.
    pub(crate) fn container_command(&self) -> &[Template] {
        let is_written = |build: &Build| build.runtime != Runtime::Dockerfile;
        match self.build.as_ref().is_some_and(is_written) {
            true => &[],
            false => &self.run.command,
        }
    }
}

/// What the agent is called and what kind of work it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// a-z, 0-9 and -, at most 40 characters, a letter first, no - at the end; names everything
    /// that is created.
    #[schemars(extend("format" = "label"))]
    pub(crate) name: String,
    /// What kind of work it does; a service answers requests.
    #[serde(default)]
    pub(crate) kind: Kind,
    /// The agent's own version; part of an image's tags and labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "tag"))]
    pub(crate) version: Option<String>,
    /// Where its source is, as a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url"))]
    pub(crate) source: Option<String>,
    /// The time zone that schedules are meant in.
    #[serde(default = "utc")]
    #[schemars(extend("format" = "time-zone"))]
    pub(crate) time_zone: String,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "annotation"))]
    pub(crate) description: Option<String>,
    /// How much a bad release may harm; `strategy = "auto"` goes by it.
    #[serde(default)]
    pub(crate) risk: Risk,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "annotation"))]
    pub(crate) team: Option<String>,
    /// Marks for people and tools; names and values as in Kubernetes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "propertyNames" = {"format": "own-label"},
        "additionalProperties" = {"type": "string", "format": "mark"}
    ))]
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Risk {
    #[default]
    Normal,
    High,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Service,
    Worker,
    Stateful,
    Job,
    Cron,
    Daemon,
}

impl Kind {
    pub(crate) fn is_service(&self) -> bool {
        *self == Self::Service
    }

    /// Whether its replicas answer requests.
    pub(crate) fn serves(self) -> bool {
        matches!(self, Self::Service | Self::Stateful | Self::Daemon)
    }

    /// Whether all its replicas have one address: a daemon's are each for their own machine.
    pub(crate) fn is_called(self) -> bool {
        matches!(self, Self::Service | Self::Stateful)
    }

    /// Whether its replicas come to an end by themselves.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Job | Self::Cron)
    }

    /// As agent.toml writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Worker => "worker",
            Self::Stateful => "stateful",
            Self::Job => "job",
            Self::Cron => "cron",
            Self::Daemon => "daemon",
        }
    }
}

/// The time zone that every machine knows.
pub(crate) const UTC: &str = "UTC";

fn utc() -> String {
    UTC.to_owned()
}

/// How one replica is started, and what it may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Run {
    /// Program and arguments, no shell; a process is started in the folder of the release's files.
    /// Not given: what the image starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub(crate) command: Vec<Template>,
    /// Files and folders beside agent.toml that belong to a release; each release keeps its copy.
    #[schemars(extend("items" = {"type": "string", "format": "beside"}))]
    pub(crate) files: Vec<String>,
    /// Where the agent is reached; each replica itself listens on `$PORT`.
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: u16,
    /// How many copies run side by side.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) replicas: u32,
    /// Variables of the agent's environment; PORT and names that begin with AGENT_ or AGENTCTL_
    /// belong to agentctl.
    #[schemars(extend("propertyNames" = {"format": "own-variable"}))]
    pub(crate) env: BTreeMap<String, Template>,
    pub(crate) resources: Resources,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gpu: Option<Gpu>,
    /// It may run on machines that are taken away at short notice.
    pub(crate) spot: bool,
    /// The id of the user that it runs as in a container; never root.
    #[schemars(range(min = 1, max = 4_294_967_294_u32))]
    pub(crate) user: u32,
    /// Folders of a container that it may write to; all else is read-only.
    #[schemars(extend("items" = {"type": "string", "format": "absolute-path"}))]
    pub(crate) writable: Vec<String>,
    /// Disks that stay when a replica goes, by name; for stateful.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "label"}))]
    pub(crate) volumes: BTreeMap<String, Volume>,
    pub(crate) nodes: Nodes,
    /// When it runs, as in cron: minute, hour, day, month, day of the week; for cron.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "cron"))]
    pub(crate) schedule: Option<String>,
    /// How long one run may take; for job and cron.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_limit: Option<Period>,
    /// How often a failed run is tried again; for job and cron.
    #[schemars(range(min = 0, max = 100))]
    pub(crate) retries: u32,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            files: vec![".".to_owned()],
            port: 8000,
            replicas: 1,
            env: BTreeMap::new(),
            resources: Resources::default(),
            gpu: None,
            spot: false,
            user: 10001,
            writable: vec!["/tmp".to_owned()],
            volumes: BTreeMap::new(),
            nodes: Nodes::default(),
            schedule: None,
            time_limit: None,
            retries: 2,
        }
    }
}

/// What changes without a new image; part of a release's identity. The agent finds it as JSON in
/// the file that `$AGENT_CONFIG` names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The model that the agent asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// Models to ask when that one does not answer, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fallback_models: Vec<String>,
    /// A folder beside agent.toml; the agent finds the release's copy at `$AGENT_PROMPTS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "beside"))]
    pub(crate) prompts: Option<String>,
    /// Anything the agent wants to know, like `temperature`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, serde_json::Value>,
    /// Settings of the agent's tools, by tool.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tools: BTreeMap<String, serde_json::Value>,
    /// Limits that the agent keeps itself to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) guardrails: BTreeMap<String, serde_json::Value>,
}

/// Where a secret's value comes from; the value itself is never part of a spec or a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SecretSource {
    /// A variable of the environment that agentctl runs in.
    Env(#[schemars(extend("format" = "variable"))] String),
    /// A file, named from beside agent.toml; one newline at its end is not part of the value.
    File(#[schemars(length(min = 1), extend("format" = "path"))] String),
    /// `path#field` in the store of `[stores.vault]`.
    Vault(#[schemars(extend("format" = "vault-path"))] String),
    /// `name/key` of a Secret that the cluster has already.
    Kubernetes(#[schemars(extend("format" = "secret-key"))] String),
    /// `store/key` of a store that External Secrets reads.
    External(#[schemars(extend("format" = "secret-key"))] String),
}

impl SecretSource {
    /// The file that the value is in, if it is in one.
    pub(crate) fn file(&self) -> Option<std::path::PathBuf> {
        match self {
            Self::File(path) => Some(path.into()),
            _ => None,
        }
    }

    /// The Secret of the cluster that has the value, and the key in it; `name`: of the secret itself.
    pub(crate) fn referred<'a>(&'a self, name: &'a str) -> Option<(&'a str, &'a str)> {
        match self {
            Self::Kubernetes(place) => Some(place.split_once('/').unwrap_or((place, name))),
            _ => None,
        }
    }
}
