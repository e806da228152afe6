//! What was counted.

use serde::{Deserialize, Serialize};

/// Counters; a later look is never smaller than an earlier one of the same window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measures {
    /// Milliseconds since the epoch: when counting began.
    pub(crate) since: u64,
    /// Requests that have ended.
    pub(crate) requests: u64,
    /// Of those: 5xx answers, and replies that the replica broke off.
    pub(crate) errors: u64,
    pub(crate) open: u64,
    /// Requests whose replies have begun.
    #[serde(default)]
    pub(crate) heard: u64,
    /// What has begun in it and was not answered yet: (for so many microseconds at least, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) waiting: Vec<(u64, u64)>,
    /// Ended requests by time to the reply's end: (upper bound in microseconds, count), rising,
    /// empty buckets left out; bounds are at most 6.25 % apart.
    pub(crate) latency: Vec<(u64, u64)>,
    /// Conversations that had a request.
    pub(crate) conversations: u64,
    /// Conversations that began in this window, and requests that belong to none.
    #[serde(default)]
    pub(crate) begun: u64,
    /// Of those, the ones with an error, however many: only such as this pool alone answered.
    #[serde(default)]
    pub(crate) failed: u64,
    /// From `x-agentctl-tokens`, or `usage` in a JSON or SSE reply.
    pub(crate) tokens: u64,
    /// Requests that told their tokens.
    pub(crate) token_requests: u64,
    /// From `x-agentctl-cost` or `usage.cost`, in millionths of the agent's currency.
    pub(crate) cost_micros: u64,
    pub(crate) cost_requests: u64,
    /// From `x-agentctl-tool-calls` or `usage.tool_calls`.
    #[serde(default)]
    pub(crate) tool_calls: u64,
    #[serde(default)]
    pub(crate) tool_call_requests: u64,
    /// From `x-agentctl-steps` or `usage.steps`: calls of the model.
    #[serde(default)]
    pub(crate) steps: u64,
    #[serde(default)]
    pub(crate) step_requests: u64,
    /// What has begun here and was answered, each by the longest time of its replies so far; buckets
    /// as in `latency`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) slowest: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Calls::is_none")]
    pub(crate) calls: Calls,
}

/// What agents told of their calls through OpenTelemetry, counted when it was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Of the model.
    pub(crate) model: u64,
    /// Those by time, as in [`Measures::latency`], and no finer than the agent's library tells.
    pub(crate) latency: Vec<(u64, u64)>,
    /// Tokens that those read and wrote.
    pub(crate) tokens: u64,
    /// Of tools, and those of them that failed.
    pub(crate) tool: u64,
    pub(crate) tool_errors: u64,
}

impl Calls {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
