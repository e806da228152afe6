use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GateSource, Period};

/// A bound on a measured figure of the candidate, judged during every hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricGate {
    /// What it is called in plans and reports; not given: its metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// The measured figure.
    #[serde(default = "sourced", skip_serializing_if = "is_sourced")]
    pub(crate) metric: Metric,
    /// Whom to ask for a figure that is not measured by the edge; instead of `metric`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<GateSource>,
    /// How often the source is asked; not given: 15s, and a judge 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) every: Option<Period>,
    /// At most this; a number, or for a latency a duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<Bound>,
    /// At least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<Bound>,
    /// At least the first of these, and at most the second; instead of `min` and `max`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) range: Vec<Bound>,
    /// Judge only what was counted lately, this long; not given: since the weight last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<Period>,
    /// Compare the candidate with the stable release beside it, while both have traffic; instead of
    /// `max` and `min`, for all metrics but requests, tokens_per_request and those of calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<Against>,
    /// How much worse than that is no harm: 0.1 is a tenth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 4.0))]
    pub(crate) worse_by: Option<f64>,
    /// Where what conversations use is compared: what one may use at most. What goes beyond counts as
    /// this much, and those that go beyond are compared as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cap: Option<f64>,
    /// Where every gate has passed before the hold is over, go on at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) early: bool,
    /// Fewer requests than this at the step's weight, or calls where the metric is of those, and the
    /// gate is unclear.
    #[serde(default = "twenty")]
    pub(crate) min_requests: u64,
    /// What a gate counts as that still cannot say when a hold is over: wait for more requests
    /// (`rollout.patience` at most), pass, fail, or approve: wait for a person's yes.
    #[serde(default)]
    pub(crate) unclear: Unclear,
}

fn sourced() -> Metric {
    Metric::Sourced
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
fn is_sourced(metric: &Metric) -> bool {
    *metric == Metric::Sourced
}

fn twenty() -> u64 {
    20
}

impl MetricGate {
    /// How long after an answer its source is asked again.
    pub(crate) fn asked_every(&self) -> Duration {
        let usually = self.source.as_ref().map(GateSource::usually_every);
        self.every.or(usually).unwrap_or_default().get()
    }

    /// One that bounds nothing yet.
    pub(crate) fn on(metric: Metric) -> Self {
        Self {
            name: None,
            metric,
            source: None,
            every: None,
            max: None,
            min: None,
            range: Vec::new(),
            window: None,
            against: None,
            worse_by: None,
            cap: None,
            early: false,
            min_requests: twenty(),
            unclear: Unclear::Wait,
        }
    }

    /// What it is called.
    pub(crate) fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.metric.name())
    }

    /// The judge that it asks.
    pub(crate) fn judge(&self) -> Option<&str> {
        match &self.source {
            Some(GateSource::Judge { judge }) => Some(judge),
            _ => None,
        }
    }

    /// It may be wrong, and how often is a part of the rollout's promise.
    pub(crate) fn is_statistical(&self) -> bool {
        self.against.is_some() || self.judge().is_some()
    }

    /// What the figure must reach at least.
    pub(crate) fn least(&self) -> Option<Bound> {
        self.min.or_else(|| self.range.first().copied())
    }

    /// What the figure may reach at most.
    pub(crate) fn most(&self) -> Option<Bound> {
        self.max.or_else(|| self.range.get(1).copied())
    }
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
    TokensPerConversation,
    CostPerConversation,
    ToolCallsPerConversation,
    StepsPerConversation,
    ModelLatencyP50,
    ModelLatencyP95,
    ModelLatencyP99,
    TokensPerCall,
    ToolErrorRate,
    /// Of a source that the gate names.
    #[serde(skip)]
    Sourced,
}

impl Metric {
    /// What conversations use: compared by pairs of values.
    pub(crate) fn is_spend(self) -> bool {
        matches!(
            self,
            Self::TokensPerConversation
                | Self::CostPerConversation
                | Self::ToolCallsPerConversation
                | Self::StepsPerConversation
        )
    }

    pub(crate) fn is_latency(self) -> bool {
        matches!(self, Self::LatencyP50 | Self::LatencyP95 | Self::LatencyP99)
    }

    /// Of calls of the model, as agents tell it through OpenTelemetry.
    pub(crate) fn is_model_latency(self) -> bool {
        matches!(
            self,
            Self::ModelLatencyP50 | Self::ModelLatencyP95 | Self::ModelLatencyP99
        )
    }

    /// What agents tell through OpenTelemetry: counted by calls.
    pub(crate) fn is_of_calls(self) -> bool {
        self.is_model_latency() || matches!(self, Self::TokensPerCall | Self::ToolErrorRate)
    }

    /// A bound on it is a duration.
    pub(crate) fn is_time(self) -> bool {
        self.is_latency() || self.is_model_latency()
    }

    /// From 0 to 1.
    pub(crate) fn is_share(self) -> bool {
        matches!(self, Self::ErrorRate | Self::ToolErrorRate)
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
            Self::TokensPerConversation => "tokens_per_conversation",
            Self::CostPerConversation => "cost_per_conversation",
            Self::ToolCallsPerConversation => "tool_calls_per_conversation",
            Self::StepsPerConversation => "steps_per_conversation",
            Self::ModelLatencyP50 => "model_latency_p50",
            Self::ModelLatencyP95 => "model_latency_p95",
            Self::ModelLatencyP99 => "model_latency_p99",
            Self::TokensPerCall => "tokens_per_call",
            Self::ToolErrorRate => "tool_error_rate",
            Self::Sourced => "the source's figure",
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
    Approve,
}
