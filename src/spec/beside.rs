//! What runs beside the agent: the services it needs, and the tools it calls.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::show::key;
use super::{Quantity, Resources, Spec, Template};

impl Spec {
    /// Variables of what runs beside the agent, by their paths in agent.toml.
    pub(crate) fn env_beside(&self) -> Vec<(String, &Template)> {
        let services = self.services.iter();
        let services = services.map(|(name, one)| ("services", name, &one.env));
        let tools = self.tools.iter();
        let tools = tools.map(|(name, one)| ("tools", name, &one.env));
        let sidecars = self.sidecars.iter();
        let sidecars = sidecars.map(|(name, one)| ("sidecars", name, &one.env));
        let all = services.chain(tools).chain(sidecars);
        let env = all.flat_map(|(section, owner, env)| {
            let path = format!("{section}.{}.env", key(owner));
            env.iter()
                .map(move |(name, value)| (format!("{path}.{}", key(name)), value))
        });
        env.collect()
    }
}

/// Something the agent needs beside it; reached by its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Service {
    /// A known one, with its image, port, health check and place of data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<Preset>,
    /// Any image, instead of the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "image"))]
    pub(crate) image: Option<String>,
    /// Where it listens; not given: the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: Option<u16>,
    /// Program and arguments instead of the image's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Variables of its environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "variable"}))]
    pub(crate) env: BTreeMap<String, Template>,
    /// A command that succeeds while it is well; not given: the preset's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) healthy: Vec<String>,
    /// The size of its disk; not given: its data goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<Quantity>,
    /// Where its data lies; not given: the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "absolute-path"))]
    pub(crate) data: Option<String>,
    /// Folders beside `/tmp` and its data that it may write to; all else is read-only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "format": "absolute-path"}))]
    pub(crate) writable: Vec<String>,
    pub(crate) resources: Resources,
    /// The model that vllm or tgi serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) model: Option<String>,
    /// Graphics processors that the model is spread over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub(crate) gpus: Option<u32>,
    /// A name in `[secrets]`: the password of postgres, redis and rabbitmq, the key of qdrant, the
    /// token that a model is fetched with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    /// The id of the user it runs as; not given: the preset's, or that of `run.user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_294_u32))]
    pub(crate) user: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Preset {
    Redis,
    Postgres,
    Qdrant,
    Rabbitmq,
    Vllm,
    Tgi,
}

/// An MCP server that the agent calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// What it runs.
    #[schemars(extend("format" = "image"))]
    pub(crate) image: String,
    /// sidecar: beside each replica, reached on localhost; service: on its own, reached by its name.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// Where it listens; sidecars of one agent need ports of their own.
    #[serde(default = "tool_port")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: u16,
    /// Program and arguments instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Variables of its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "variable"}))]
    pub(crate) env: BTreeMap<String, Template>,
    #[serde(default)]
    pub(crate) resources: Resources,
}

fn tool_port() -> u16 {
    3000
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Sidecar,
    Service,
}

/// Where External Secrets find values; the cluster's own where a secret names one that is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum SecretStore {
    /// HashiCorp Vault, or what speaks its protocol.
    Vault {
        #[schemars(extend("format" = "url"))]
        server: String,
        /// The mount of the key-value engine.
        #[serde(default = "vault_mount")]
        mount: String,
        /// The role that the agent's service account has there.
        #[schemars(length(min = 1))]
        role: String,
    },
    /// Secrets Manager of Amazon Web Services.
    Aws {
        #[schemars(length(min = 1))]
        region: String,
        /// The role that is taken on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
    },
    /// Secret Manager of Google Cloud.
    Gcp {
        #[schemars(length(min = 1))]
        project: String,
    },
}

fn vault_mount() -> String {
    "secret".to_owned()
}

/// A helper beside each replica, like one that copies its state elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sidecar {
    /// What it runs.
    #[schemars(extend("format" = "image"))]
    pub(crate) image: String,
    /// Program and arguments instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Variables of its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = {"format": "variable"}))]
    pub(crate) env: BTreeMap<String, Template>,
    /// Which of `run.volumes` it sees, at the same path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<String>,
    #[serde(default)]
    pub(crate) resources: Resources,
}
