use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Template;

/// Who is told how a pipeline's deploy ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Notify {
    /// An incoming webhook of Slack, as `${secret:NAME}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slack: Option<Template>,
    /// A URL that gets the result as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<Template>,
}
