use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Drain, Health, MetricGate, Rollback, Rollout, Template};

/// One agent in one environment: `agent.toml` with that environment laid over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) agent: Agent,
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
    #[serde(default)]
    pub(crate) rollout: Rollout,
    #[serde(default)]
    pub(crate) gate: Vec<MetricGate>,
    #[serde(default)]
    pub(crate) rollback: Rollback,
}

/// What the agent is called and what kind of work it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// a-z, 0-9 and -, at most 40 characters, a letter or digit at both ends; names everything
    /// that is created.
    #[schemars(extend("format" = "label"))]
    pub(crate) name: String,
    /// What kind of work it does; a service answers requests.
    #[serde(default)]
    pub(crate) kind: Kind,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    /// Marks for people and tools; names and values as in Kubernetes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "propertyNames" = {"format": "mark-name"},
        "additionalProperties" = {"type": "string", "format": "mark"}
    ))]
    pub(crate) labels: BTreeMap<String, String>,
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

/// How one replica is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    /// Program and arguments, no shell; started in the folder of the release's files.
    #[schemars(length(min = 1))]
    pub(crate) command: Vec<Template>,
    /// Files and folders beside agent.toml that belong to a release; each release keeps its copy.
    #[serde(default = "everything")]
    #[schemars(extend("items" = {"type": "string", "format": "beside"}))]
    pub(crate) files: Vec<String>,
    /// Where the agent is reached; each replica itself listens on `$PORT`.
    #[serde(default = "port")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: u16,
    /// How many copies run side by side.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) replicas: u32,
    /// Variables of the agent's environment; PORT and names that begin with AGENT_ or AGENTCTL_
    /// belong to agentctl.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "own-variable"}))]
    pub(crate) env: BTreeMap<String, Template>,
}

fn everything() -> Vec<String> {
    vec![".".to_owned()]
}

fn port() -> u16 {
    8000
}

fn one() -> u32 {
    1
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
}

impl SecretSource {
    /// The file that the value is in, if it is in one.
    pub(crate) fn file(&self) -> Option<std::path::PathBuf> {
        match self {
            Self::File(path) => Some(path.into()),
            Self::Env(_) => None,
        }
    }
}
