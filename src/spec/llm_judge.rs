use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Login;

/// A model that reads conversations and scores them from 0 to 1, at any OpenAI-compatible endpoint.
/// Gates and probes name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct LlmJudge {
    /// The base of its API, like `https://api.openai.com/v1`.
    #[schemars(extend("format" = "http-url"))]
    pub(crate) server: String,
    #[serde(flatten)]
    pub(crate) login: Login,
    /// Which model is asked.
    #[schemars(length(min = 1))]
    pub(crate) model: String,
    /// What a good reply is: a text, or `{ file = "…" }` beside agent.toml.
    pub(crate) rubric: Rubric,
    /// A JSONPath to what is judged of each reply; not given: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "json-path"))]
    pub(crate) reply: Option<String>,
    /// For gates: the suite of probes whose conversations are had; not given: those of all probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) suite: Option<String>,
    /// For gates: how many conversations are judged each time it is asked.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) samples: u32,
    /// What one rollout may spend on it at most, in the currency of its prices.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub(crate) spend: f64,
    /// What it costs.
    pub(crate) price: Price,
}

/// For a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    /// A million tokens that it reads.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub(crate) input: f64,
    /// A million tokens that it writes.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub(crate) output: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Rubric {
    Text(String),
    File {
        /// A file with the rubric, beside agent.toml.
        #[schemars(length(min = 1))]
        file: String,
    },
}

fn five() -> u32 {
    5
}

impl Price {
    pub(crate) fn of(self, read: u64, written: u64) -> f64 {
        (read as f64 * self.input + written as f64 * self.output) / 1e6
    }
}
