//! Who has which release in an A/B test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConversationKey, Percent};

/// Those who say one of these, and of the users this share; all others have the other release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ab {
    pub(crate) says: Vec<Says>,
    pub(crate) user: Option<ConversationKey>,
    pub(crate) split: Percent,
}

/// `header:NAME=VALUE`, `cookie:NAME=VALUE` or `query:NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Says {
    pub(crate) key: ConversationKey,
    pub(crate) value: String,
}

/// Why ingress-nginx cannot tell the requests that say one of these.
pub(crate) fn beyond_nginx(says: &[Says]) -> Option<&'static str> {
    match says {
        [] => None,
        [
            Says {
                key: ConversationKey::Header(_),
                ..
            },
        ] => None,
        [
            Says {
                key: ConversationKey::Cookie(_),
                value,
            },
        ] if value == "always" => None,
        [
            Says {
                key: ConversationKey::Cookie(_),
                ..
            },
        ] => Some("ingress-nginx knows a canary's cookie by the value \"always\" only"),
        _ => Some("ingress-nginx sends requests to the candidate by one header or one cookie"),
    }
}

impl TryFrom<String> for Says {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!("\"{text}\" is not header:NAME=VALUE, cookie:NAME=VALUE or query:NAME=VALUE")
        };
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let key = ConversationKey::try_from(key.to_owned()).map_err(|_| wrong())?;
        match key {
            ConversationKey::Json(_) => Err(wrong()),
            _ if value.trim().is_empty() => Err(wrong()),
            key => Ok(Self {
                key,
                value: value.trim().to_owned(),
            }),
        }
    }
}

impl std::str::FromStr for Says {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl From<Says> for String {
    fn from(says: Says) -> Self {
        format!("{}={}", String::from(says.key), says.value)
    }
}

impl JsonSchema for Says {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Says".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "says",
            "pattern": "^(header|cookie|query):.+=.+$",
            "description": "`header:NAME=VALUE`, `cookie:NAME=VALUE` or `query:NAME=VALUE`.",
        })
    }
}
