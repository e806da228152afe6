use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// How a replica shows that it is alive and ready.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Health {
    /// A path that answers 2xx while the replica is alive; not given: as long as it runs.
    #[schemars(extend("format" = "url-path"))]
    pub(crate) live: Option<String>,
    /// A path that answers 2xx when the replica takes requests; not given: when its port is open.
    #[schemars(extend("format" = "url-path"))]
    pub(crate) ready: Option<String>,
    /// How long a new replica may take: model weights, warm caches.
    pub(crate) startup: Startup,
    /// Time from one check to the next.
    pub(crate) every: Period,
    /// A check without an answer by then has failed.
    pub(crate) timeout: Period,
    /// Failed checks in a row until a replica counts as not ready, or not alive.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) failures: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            live: None,
            ready: None,
            startup: Startup::default(),
            every: Period::secs(10),
            timeout: Period::secs(3),
            failures: 3,
        }
    }
}

/// How long a new replica may take: model weights, warm caches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Startup {
    /// A path of its own for the first readiness; not given: `health.ready`.
    #[schemars(extend("format" = "url-path"))]
    pub(crate) path: Option<String>,
    /// Not ready by then: the replica has failed.
    pub(crate) within: Period,
}

impl Default for Startup {
    fn default() -> Self {
        Self {
            path: None,
            within: Period::secs(300),
        }
    }
}

/// How a replica leaves: a conversation ends where it began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Drain {
    /// How long open requests may take to finish, and again how long the replica may take between
    /// SIGTERM and SIGKILL.
    pub(crate) grace: Period,
    /// How long a leaving replica goes on serving the conversations that began on it.
    pub(crate) conversations: Period,
    /// A conversation without a request for this long is over.
    pub(crate) idle: Period,
    /// Where a request names its conversation; the first that is present counts.
    pub(crate) key: Vec<ConversationKey>,
}

impl Default for Drain {
    fn default() -> Self {
        Self {
            grace: Period::secs(120),
            conversations: Period::secs(30 * 60),
            idle: Period::secs(10 * 60),
            key: Vec::new(),
        }
    }
}

/// `header:NAME`, `cookie:NAME`, `query:NAME` or `json:FIELD` (a field of a JSON body; `a.b` goes
/// deeper).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum ConversationKey {
    Header(String),
    Cookie(String),
    Query(String),
    Json(String),
}

impl TryFrom<String> for ConversationKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (place, name) = text.split_once(':').ok_or_else(|| unknown_key(&text))?;
        let name = name.to_owned();
        match place {
            "header" | "cookie" if !super::format::is_token(&name) => Err(format!(
                "\"{name}\" cannot be the name of a header or cookie"
            )),
            "header" => Ok(Self::Header(name)),
            "cookie" => Ok(Self::Cookie(name)),
            "query" if !name.is_empty() => Ok(Self::Query(name)),
            "json" if name.split('.').all(|field| !field.is_empty()) => Ok(Self::Json(name)),
            _ => Err(unknown_key(&text)),
        }
    }
}

fn unknown_key(text: &str) -> String {
    format!("\"{text}\" is not header:NAME, cookie:NAME, query:NAME or json:FIELD")
}

impl From<ConversationKey> for String {
    fn from(key: ConversationKey) -> Self {
        match key {
            ConversationKey::Header(name) => format!("header:{name}"),
            ConversationKey::Cookie(name) => format!("cookie:{name}"),
            ConversationKey::Query(name) => format!("query:{name}"),
            ConversationKey::Json(field) => format!("json:{field}"),
        }
    }
}

impl JsonSchema for ConversationKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConversationKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "conversation-key",
            "pattern": "^(header|cookie|query|json):.+$",
            "description": "`header:NAME`, `cookie:NAME`, `query:NAME` or `json:FIELD`.",
        })
    }
}
