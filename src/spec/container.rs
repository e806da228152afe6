use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;

/// What a replica gets of a machine: what is set aside for it, and what it may not exceed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resources {
    /// Processors set aside, like `"500m"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu: Option<Quantity>,
    /// Memory set aside, like `"1Gi"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Quantity>,
    /// Processors it may use at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_limit: Option<Quantity>,
    /// Memory it may use at most; not given: what is set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_limit: Option<Quantity>,
}

/// Graphics processors for each replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Gpu {
    /// How many each replica gets.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) count: u32,
    /// The name under which the cluster offers them.
    #[schemars(extend("format" = "qualified-name"))]
    pub(crate) kind: String,
    /// Memory that each must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Quantity>,
}

impl Default for Gpu {
    fn default() -> Self {
        Self {
            count: 1,
            kind: "nvidia.com/gpu".to_owned(),
            memory: None,
        }
    }
}

/// A disk that stays when a replica goes; each replica has its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Volume {
    /// Where the replica finds it.
    #[schemars(extend("format" = "absolute-path"))]
    pub(crate) path: String,
    /// How large it is, like `"10Gi"`.
    pub(crate) size: Quantity,
    /// The storage class; not given: the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "object-name"))]
    pub(crate) class: Option<String>,
}

/// A mark on nodes that replicas may run on in spite of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Toleration {
    /// The mark's name.
    #[schemars(extend("format" = "qualified-name"))]
    pub(crate) key: String,
    /// Not given: any value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "mark"))]
    pub(crate) value: Option<String>,
    /// Not given: any effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<Effect>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// On which nodes of a cluster replicas run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Nodes {
    /// Labels that a node must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "propertyNames" = {"format": "qualified-name"},
        "additionalProperties" = {"type": "string", "format": "mark"}
    ))]
    pub(crate) labels: BTreeMap<String, String>,
    /// Marks that keep others away from a node, and not this agent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tolerations: Vec<Toleration>,
}
