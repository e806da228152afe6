use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Template};

/// Whom a gate asks for its figure, instead of a metric of the edge. In texts `{release}` is the new
/// release, `{stable}` the old one, `{window}` the time that is looked at (`95s`), `{step}` the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum GateSource {
    Prometheus {
        /// A query with one number for an answer.
        #[schemars(length(min = 1))]
        prometheus: String,
        /// Where it is asked; not given: `observe.prometheus`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "http-url"))]
        server: Option<String>,
        /// The token it wants.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bearer: Option<Template>,
        /// The name and password it wants, as `name:password`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basic: Option<Template>,
        /// A file with the certificates that its own is believed by, beside the usual ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        ca: Option<String>,
    },
    Http {
        /// An address that answers with JSON.
        http: Template,
        /// A JSONPath to the number in it.
        #[schemars(extend("format" = "json-path"))]
        json: String,
        /// The token it wants.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bearer: Option<Template>,
        /// The name and password it wants, as `name:password`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basic: Option<Template>,
        /// A file with the certificates that its own is believed by, beside the usual ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        ca: Option<String>,
    },
    Command {
        /// A program and its arguments, run beside agent.toml, with no shell between. Without `json`
        /// the gate passes with its exit code 0, fails with 1, and with another nothing is known.
        #[schemars(length(min = 1))]
        command: Vec<String>,
        /// A JSONPath to the number in the JSON that it prints; then it has to end with 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "json-path"))]
        json: Option<String>,
    },
}

impl GateSource {
    /// It says yes or no, and there is nothing to bound.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Command { json: None, .. })
    }

    /// Texts that may hold `${…}`, with their keys.
    pub(super) fn templates(&mut self) -> Vec<(&'static str, &mut Template)> {
        let (url, bearer, basic) = match self {
            Self::Prometheus { bearer, basic, .. } => (None, bearer, basic),
            Self::Http {
                http,
                bearer,
                basic,
                ..
            } => (Some(http), bearer, basic),
            Self::Command { .. } => return Vec::new(),
        };
        let all = [
            ("http", url),
            ("bearer", bearer.as_mut()),
            ("basic", basic.as_mut()),
        ];
        let given = all.into_iter().filter_map(|(key, text)| Some((key, text?)));
        given.collect()
    }

    /// As it stands in plans.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Prometheus { prometheus, .. } => prometheus.clone(),
            Self::Http { http, json, .. } => format!("{json} of {http}"),
            Self::Command { command, .. } => command.join(" "),
        }
    }
}

/// How often a source is asked where the gate does not say.
pub(crate) const EVERY: Period = Period::secs(15);
