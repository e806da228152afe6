use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Template};

/// Whom a gate asks for its figure, instead of a metric of the edge. In texts `{release}` is the new
/// release, `{stable}` the old one, `{window}` the time that is looked at (`95s`), `{step}` the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(deny_unknown_fields)] // serde cannot, beside flatten; a file's shape is checked by the schema
pub(crate) enum GateSource {
    Prometheus {
        /// A query with one number for an answer.
        #[schemars(length(min = 1))]
        prometheus: String,
        /// Where it is asked; not given: `observe.prometheus`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "http-url"))]
        server: Option<String>,
        #[serde(flatten)]
        login: Login,
    },
    Http {
        /// An address that answers with JSON.
        http: Template,
        /// A JSONPath to the number in it.
        #[schemars(extend("format" = "json-path"))]
        json: String,
        #[serde(flatten)]
        login: Login,
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
    Judge {
        /// One of `[judges]`: it scores conversations that agentctl has with the new release, and with
        /// `against` the same ones with the old one.
        #[schemars(length(min = 1))]
        judge: String,
    },
}

/// How a server is asked that does not answer everyone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Login {
    /// The token it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bearer: Option<Template>,
    /// The name and password it wants, as `name:password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) basic: Option<Template>,
    /// A file with the certificates that its own is believed by, beside the usual ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) ca: Option<String>,
    /// A file with the certificate that it knows us by, and the key to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) client: Option<String>,
}

impl Login {
    /// Texts that may hold `${…}`, with their keys.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let all = [("bearer", &self.bearer), ("basic", &self.basic)];
        all.into_iter()
            .filter_map(|(key, text)| Some((key, text.as_ref()?)))
    }

    pub(super) fn templates_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Template)> {
        let all = [("bearer", &mut self.bearer), ("basic", &mut self.basic)];
        all.into_iter()
            .filter_map(|(key, text)| Some((key, text.as_mut()?)))
    }
}

impl GateSource {
    /// It says yes or no, and there is nothing to bound.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Command { json: None, .. })
    }

    pub(crate) fn login(&self) -> Option<&Login> {
        match self {
            Self::Prometheus { login, .. } | Self::Http { login, .. } => Some(login),
            Self::Command { .. } | Self::Judge { .. } => None,
        }
    }

    /// Names of the secrets that it takes to ask.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        let url = match self {
            Self::Http { http, .. } => Some(http),
            _ => None,
        };
        let login = self.login().into_iter().flat_map(Login::templates);
        let all = url.into_iter().chain(login.map(|(_, text)| text));
        all.flat_map(Template::secrets)
    }

    /// Texts that may hold `${…}`, with their keys.
    pub(super) fn templates_mut(&mut self) -> Vec<(&'static str, &mut Template)> {
        match self {
            Self::Prometheus { login, .. } => login.templates_mut().collect(),
            Self::Http { http, login, .. } => {
                let url = std::iter::once(("http", http));
                url.chain(login.templates_mut()).collect()
            }
            Self::Command { .. } | Self::Judge { .. } => Vec::new(),
        }
    }

    /// As it stands in plans.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Prometheus { prometheus, .. } => prometheus.clone(),
            Self::Http { http, json, .. } => format!("{json} of {http}"),
            Self::Command { command, .. } => command.join(" "),
            Self::Judge { judge } => format!("judge {judge}"),
        }
    }

    /// How often it is asked where the gate does not say.
    pub(crate) fn usually_every(&self) -> Period {
        match self {
            Self::Judge { .. } => Period::secs(60),
            _ => Period::secs(15),
        }
    }
}
