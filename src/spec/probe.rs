use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// A synthetic conversation with the candidate, and what must come back: one request, or several
/// turns. `{conversation}` in them is a new name each time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Probe {
    /// What it is called in plans and reports; not given: its method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// The suite it belongs to, for `agentctl probe --suite` and in reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub(crate) suite: Option<String>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<ProbeRequest>,
    /// What must come back.
    #[serde(default)]
    pub(crate) expect: Expect,
    /// Instead of one request: several, one after the other, to the same replica.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) turns: Vec<Turn>,
}

/// One request of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// What is sent.
    pub(crate) request: ProbeRequest,
    /// What must come back.
    #[serde(default)]
    pub(crate) expect: Expect,
}

impl Probe {
    /// In their order; at least one.
    pub(crate) fn turns(&self) -> Vec<(&ProbeRequest, &Expect)> {
        let one = self.request.iter().map(|request| (request, &self.expect));
        let turns = self.turns.iter().map(|turn| (&turn.request, &turn.expect));
        one.chain(turns).collect()
    }

    pub(crate) fn label(&self) -> String {
        let first = self.turns().into_iter().next();
        match (&self.name, first) {
            (Some(name), _) => name.clone(),
            (None, Some((request, _))) => format!("{} {}", request.method, request.path),
            (None, None) => String::new(),
        }
    }
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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "propertyNames" = {"format": "token"},
        "additionalProperties" = {"type": "string", "format": "header"}
    ))]
    pub(crate) headers: BTreeMap<String, String>,
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
    /// A regular expression that the reply must match somewhere, or, with `json`, what that finds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "regex"))]
    pub(crate) matches: Option<String>,
    /// What judges of `[judges]` must say of the conversation so far: each by its name, with the
    /// least score from 0 to 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("additionalProperties" = {"type": "number", "minimum": 0, "maximum": 1}))]
    pub(crate) judge: BTreeMap<String, f64>,
    /// At least so many server-sent events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(crate) events: Option<u32>,
    /// The first bytes of the reply's body must have come by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_within: Option<Period>,
    /// A later reply has failed.
    pub(crate) within: Period,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            status: 200,
            json: None,
            matches: None,
            judge: BTreeMap::new(),
            events: None,
            first_within: None,
            within: Period::secs(10),
        }
    }
}
