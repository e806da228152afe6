use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Percent, Period};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    #[default]
    Rolling,
    BlueGreen,
    Canary,
}

/// How a new release takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollout {
    pub(crate) strategy: Strategy,
    /// A conversation keeps its release while weights move.
    pub(crate) sticky: bool,
    /// Canary: weights rise and end at 100.
    pub(crate) steps: Vec<RolloutStep>,
    /// After the switch the old release stays warm this long, with the gates on.
    pub(crate) bake: Period,
    /// Rolling: replicas beyond the wanted number while it runs.
    pub(crate) max_surge: u32,
    /// Rolling: replicas that may be missing while it runs; with `max_surge = 0` a replica goes
    /// before its successor comes.
    pub(crate) max_unavailable: u32,
    /// How long past its hold an unclear gate with `unclear = "wait"` is waited for before it
    /// counts as failed.
    pub(crate) patience: Period,
    /// Requests sent to the candidate before any user's request is.
    pub(crate) probe: Vec<Probe>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            sticky: true,
            steps: Vec::new(),
            bake: Period::default(),
            max_surge: 1,
            max_unavailable: 0,
            patience: Period::secs(3600),
            probe: Vec::new(),
        }
    }
}

/// One step of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum RolloutStep {
    Weight {
        weight: Percent,
        /// How long the gates are judged at least before the next step.
        #[serde(default)]
        hold: Period,
    },
    /// Wait until a person runs `agentctl approve`.
    Approve { approve: String },
}

/// A request to the candidate, and what must come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) request: ProbeRequest,
    #[serde(default)]
    pub(crate) expect: Expect,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeRequest {
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub(crate) headers: std::collections::BTreeMap<String, String>,
    /// Sent as a JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<serde_json::Value>,
}

fn get() -> String {
    "GET".to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    pub(crate) status: u16,
    /// A JSONPath that must find something in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json: Option<String>,
    pub(crate) within: Period,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            status: 200,
            json: None,
            within: Period::secs(10),
        }
    }
}

/// `[[gate]]`: a bound on a measured figure of the candidate, judged during every hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricGate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// error_rate, latency_p50, latency_p95, latency_p99, requests, tokens_per_request or
    /// cost_per_conversation.
    pub(crate) metric: Metric,
    /// A number, or for a latency a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Bound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Bound>,
    /// Fewer requests than this at the step's weight, and the gate is unclear.
    #[serde(default = "twenty")]
    pub(crate) min_requests: u64,
    #[serde(default)]
    pub(crate) unclear: Unclear,
}

fn twenty() -> u64 {
    20
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    ErrorRate,
    LatencyP50,
    LatencyP95,
    LatencyP99,
    Requests,
    TokensPerRequest,
    CostPerConversation,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Bound {
    Number(f64),
    Time(Period),
}

/// What happens when a hold is over and a gate still cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unclear {
    /// Wait for more requests, `rollout.patience` at most.
    #[default]
    Wait,
    Pass,
    Fail,
}

/// `[rollback]`: what happens by itself when a gate fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollback {
    /// `false`: a failed gate stalls the rollout and waits for a person.
    pub(crate) auto: bool,
    /// A release that was undone is not deployed again this soon, unless told to (`--again`).
    pub(crate) cooldown: Period,
    /// After this many undone rollouts in an hour a deploy wants `--again`.
    pub(crate) max_per_hour: u32,
}

impl Default for Rollback {
    fn default() -> Self {
        Self {
            auto: true,
            cooldown: Period::secs(300),
            max_per_hour: 3,
        }
    }
}
