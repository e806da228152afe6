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
    Auto,
}

/// How a new release takes over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollout {
    /// rolling: a few replicas at a time; blue-green: all beside the old ones, then the switch;
    /// canary: a growing share of the traffic; auto: one of them, by what changed against the release
    /// in force.
    pub(crate) strategy: Strategy,
    /// A conversation keeps its release while weights move.
    pub(crate) sticky: bool,
    /// Canary: weights rise and end at 100; not given: 10 and 50 per cent, held for 5m each, then
    /// 100.
    pub(crate) steps: Vec<RolloutStep>,
    /// After the switch the old release stays warm this long, with the gates on.
    pub(crate) bake: Period,
    /// Rolling: replicas beyond the wanted number while it runs.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) max_surge: u32,
    /// Rolling: replicas that may be missing while it runs; with `max_surge = 0` a replica goes
    /// before its successor comes.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) max_unavailable: u32,
    /// How long past its hold an unclear gate with `unclear = "wait"` is waited for before it
    /// counts as failed.
    pub(crate) patience: Period,
    /// The probability that a harmless release is not stopped by the gates that compare it with
    /// the stable one, all of them together, however often they are looked at.
    #[schemars(range(min = 0.51, max = 0.9999))]
    pub(crate) confidence: f64,
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
            confidence: 0.99,
            probe: Vec::new(),
        }
    }
}

impl Rollout {
    /// What a canary without steps of its own walks.
    pub(super) fn usual_steps() -> Vec<RolloutStep> {
        let step = |percent: u16, hold| RolloutStep::Weight {
            weight: Percent::from_hundredths(percent * 100),
            hold,
        };
        let hold = Period::secs(300);
        vec![step(10, hold), step(50, hold), step(100, Period::default())]
    }
}

/// One step of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum RolloutStep {
    Weight {
        /// The candidate's share of the traffic, in per cent.
        weight: Percent,
        /// How long the gates are judged at least before the next step.
        #[serde(default)]
        hold: Period,
    },
    /// Wait until a person runs `agentctl approve`.
    Approve {
        /// What is to be approved, as that person reads it.
        #[schemars(length(min = 1))]
        approve: String,
    },
}

/// A request to the candidate, and what must come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// What it is called in plans and reports; not given: its method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// What is sent.
    pub(crate) request: ProbeRequest,
    /// What must come back.
    #[serde(default)]
    pub(crate) expect: Expect,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProbeRequest {
    /// GET, POST, …
    #[serde(default = "get")]
    #[schemars(extend("format" = "token"))]
    pub(crate) method: String,
    /// Begins with /.
    #[schemars(extend("format" = "url-path"))]
    pub(crate) path: String,
    /// Headers beside the usual ones.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[schemars(extend(
        "propertyNames" = {"format": "token"},
        "additionalProperties" = {"type": "string", "format": "header"}
    ))]
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
    /// The status of the reply.
    #[schemars(range(min = 100, max = 599))]
    pub(crate) status: u16,
    /// A JSONPath that must find something in the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "json-path"))]
    pub(crate) json: Option<String>,
    /// A later reply has failed.
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

/// A bound on a measured figure of the candidate, judged during every hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricGate {
    /// What it is called in plans and reports; not given: its metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// The measured figure.
    pub(crate) metric: Metric,
    /// At most this; a number, or for a latency a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Bound>,
    /// At least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Bound>,
    /// Compare the candidate with the stable release beside it, while both have traffic; instead of
    /// `max` and `min`, and for error_rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<Against>,
    /// How much worse than that is no harm: 0.1 is a tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 4.0))]
    pub(crate) worse_by: Option<f64>,
    /// Where every gate has passed before the hold is over, go on at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) early: bool,
    /// Fewer requests than this at the step's weight, and the gate is unclear.
    #[serde(default = "twenty")]
    pub(crate) min_requests: u64,
    /// What a gate counts as that still cannot say when a hold is over: wait for more requests
    /// (`rollout.patience` at most), pass or fail.
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

impl Metric {
    pub(crate) fn is_latency(self) -> bool {
        matches!(self, Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99)
    }

    /// As agent.toml writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP95 => "latency_p95",
            Self::LatencyP99 => "latency_p99",
            Self::Requests => "requests",
            Self::TokensPerRequest => "tokens_per_request",
            Self::CostPerConversation => "cost_per_conversation",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Bound {
    Number(f64),
    Time(Period),
}

/// What a gate compares the candidate with: the release that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Against {
    Stable,
}

/// What happens when a hold is over and a gate still cannot say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unclear {
    #[default]
    Wait,
    Pass,
    Fail,
}

/// What happens by itself when a gate fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rollback {
    /// `false`: a failed gate stalls the rollout and waits for a person.
    pub(crate) auto: bool,
    /// A release that was undone is not deployed again this soon, unless told to (`--again`).
    pub(crate) cooldown: Period,
    /// After this many undone rollouts in an hour a deploy wants `--again`.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_per_hour: u32,
    /// What `agentctl watch` judges: the requests of the last so many minutes.
    pub(crate) window: Period,
}

impl Default for Rollback {
    fn default() -> Self {
        Self {
            auto: true,
            cooldown: Period::secs(300),
            max_per_hour: 3,
            window: Period::secs(300),
        }
    }
}
