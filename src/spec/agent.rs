use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MetricGate, Period, Rollback, Rollout, Template};

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
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    pub(crate) rollout: Rollout,
    #[serde(default)]
    pub(crate) gate: Vec<MetricGate>,
    #[serde(default)]
    pub(crate) rollback: Rollback,
    /// Where it runs and what is different there; a key set here wins over the base.
    #[serde(default)]
    pub(crate) environments: BTreeMap<String, Environment>,
}

/// What the agent is called and what kind of work it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agent {
    /// RFC 1123 label: a-z, 0-9 and -, at most 40 characters; names everything that is created.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) team: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
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
    pub(crate) command: Vec<Template>,
    /// Files and folders beside agent.toml that belong to a release; each release keeps its copy.
    #[serde(default = "everything")]
    pub(crate) files: Vec<String>,
    /// 1 to 65535. Where the agent is reached; each replica itself listens on `$PORT`.
    #[serde(default = "port")]
    pub(crate) port: u16,
    /// 1 to 1000.
    #[serde(default = "one")]
    pub(crate) replicas: u32,
    #[serde(default)]
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

/// How a replica shows that it is alive and ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Health {
    /// A path that answers 2xx while the replica is alive; not given: as long as it runs.
    pub(crate) live: Option<String>,
    /// A path that answers 2xx when the replica takes requests; not given: when its port is open.
    pub(crate) ready: Option<String>,
    pub(crate) startup: Startup,
    pub(crate) every: Period,
    pub(crate) timeout: Period,
    /// Failed checks in a row until a replica counts as not ready, or not alive.
    pub(crate) failures: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            live: None,
            ready: None,
            startup: Startup::default(),
            every: Period::secs(10),
            timeout: Period::secs(3),
            failures: 3,
        }
    }
}

/// How long a new replica may take: model weights, warm caches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Startup {
    /// A path of its own for the first readiness; not given: `health.ready`.
    pub(crate) path: Option<String>,
    pub(crate) within: Period,
}

impl Default for Startup {
    fn default() -> Self {
        Self {
            path: None,
            within: Period::secs(300),
        }
    }
}

/// How a replica leaves: a conversation ends where it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Drain {
    /// How long open requests may take to finish, and again how long the replica may take between
    /// SIGTERM and SIGKILL.
    pub(crate) grace: Period,
    /// How long a leaving replica goes on serving the conversations that began on it.
    pub(crate) conversations: Period,
    /// A conversation without a request for this long is over.
    pub(crate) idle: Period,
    /// Where a request names its conversation; the first that is present counts.
    pub(crate) key: Vec<ConversationKey>,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            grace: Period::secs(120),
            conversations: Period::secs(30 * 60),
            idle: Period::secs(10 * 60),
            key: Vec::new(),
        }
    }
}

/// `header:NAME`, `cookie:NAME`, `query:NAME` or `json:FIELD` (a field of a JSON body; `a.b` goes
/// deeper).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum ConversationKey {
    Header(String),
    Cookie(String),
    Query(String),
    Json(String),
}

impl TryFrom<String> for ConversationKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some((_, "")) | None => Err(unknown_key(&text)),
            Some(("header", name)) => Ok(Self::Header(name.to_owned())),
            Some(("cookie", name)) => Ok(Self::Cookie(name.to_owned())),
            Some(("query", name)) => Ok(Self::Query(name.to_owned())),
            Some(("json", field)) => Ok(Self::Json(field.to_owned())),
            Some(_) => Err(unknown_key(&text)),
        }
    }
}

fn unknown_key(text: &str) -> String {
    format!("\"{text}\" is not header:NAME, cookie:NAME, query:NAME or json:FIELD")
}

impl From<ConversationKey> for String {
    fn from(key: ConversationKey) -> Self {
        match key {
            ConversationKey::Header(name) => format!("header:{name}"),
            ConversationKey::Cookie(name) => format!("cookie:{name}"),
            ConversationKey::Query(name) => format!("query:{name}"),
            ConversationKey::Json(field) => format!("json:{field}"),
        }
    }
}

impl JsonSchema for ConversationKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConversationKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(header|cookie|query|json):.+$",
        })
    }
}

/// What changes without a new image; part of a release's identity. The agent finds it as JSON in
/// the file that `$AGENT_CONFIG` names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) fallback_models: Vec<String>,
    /// A folder beside agent.toml; the agent finds the release's copy at `$AGENT_PROMPTS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompts: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, serde_json::Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tools: BTreeMap<String, serde_json::Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) guardrails: BTreeMap<String, serde_json::Value>,
}

/// Where a secret's value comes from; the value itself is never part of a spec or a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SecretSource {
    /// A variable of the environment that agentctl runs in.
    Env(String),
    /// A file beside agent.toml; one newline at its end is not part of the value.
    File(String),
}

/// One environment: where the agent runs there. Every other key of agent.toml may stand here too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Environment {
    pub(crate) target: TargetSpec,
    /// A person has to approve before the candidate gets traffic.
    pub(crate) approve: bool,
}

/// Where the replicas run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum TargetSpec {
    /// Processes on this machine.
    Process {
        /// The address that the agent's port is opened on.
        #[serde(default = "loopback")]
        listen: std::net::IpAddr,
    },
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self::Process { listen: loopback() }
    }
}

fn loopback() -> std::net::IpAddr {
    std::net::Ipv4Addr::LOCALHOST.into()
}
