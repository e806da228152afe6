use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// Who is told how rollouts go. Telling never delays a rollout: what cannot be delivered is tried
/// again a few times, and named at the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notify {
    /// An incoming webhook of Slack, as `${secret:NAME}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slack: Option<Template>,
    /// A URL that gets each message as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Template>,
    /// Signs what the webhook gets, as `${secret:NAME}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Template>,
    /// The form of what the webhook gets.
    #[serde(skip_serializing_if = "is_plain")]
    pub(crate) format: Format,
    /// Where each message becomes an annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grafana: Option<Grafana>,
    /// A program and its arguments: run where agentctl deploys, with each message as JSON on its
    /// standard input.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) command: Vec<String>,
    /// Which moments are told; not given: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) on: Vec<Moment>,
}

/// A Grafana whose dashboards show when rollouts were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grafana {
    /// Its address, without `/api`.
    pub(crate) url: Template,
    /// A service account's token, as `${secret:NAME}`.
    pub(crate) token: Template,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Plain,
    CloudEvents,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
fn is_plain(format: &Format) -> bool {
    *format == Format::Plain
}

/// A moment of a rollout that somebody may want to know; it is paused where a hold is over and a
/// gate still cannot say, and where both releases fail at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moment {
    Started,
    Paused,
    NeedsApproval,
    Promoted,
    RolledBack,
    Stalled,
}

impl Notify {
    /// By their paths in agent.toml.
    pub(super) fn templates(&self) -> impl Iterator<Item = (String, &Template)> {
        let grafana = self.grafana.as_ref();
        let all = [
            ("slack", self.slack.as_ref()),
            ("webhook", self.webhook.as_ref()),
            ("key", self.key.as_ref()),
            ("grafana.url", grafana.map(|grafana| &grafana.url)),
            ("grafana.token", grafana.map(|grafana| &grafana.token)),
        ];
        let given = all
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        given.map(|(key, value)| (format!("notify.{key}"), value))
    }

    pub(super) fn templates_mut(&mut self) -> impl Iterator<Item = (String, &mut Template)> {
        let (url, token) = match &mut self.grafana {
            Some(grafana) => (Some(&mut grafana.url), Some(&mut grafana.token)),
            None => (None, None),
        };
        let all = [
            ("slack", self.slack.as_mut()),
            ("webhook", self.webhook.as_mut()),
            ("key", self.key.as_mut()),
            ("grafana.url", url),
            ("grafana.token", token),
        ];
        let given = all
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        given.map(|(key, value)| (format!("notify.{key}"), value))
    }

    pub(crate) fn wants(&self, moment: Moment) -> bool {
        self.on.is_empty() || self.on.contains(&moment)
    }
}
