//! What a conversation is called, and where a request or a reply says so.

use std::fmt;
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{COOKIE, SET_COOKIE};
use hyper::http::request::Parts;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::api::Key;

/// A digest of the key's value: what users send may be long or secret, and neither belongs into
/// the edge's memory or its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConversationId(u128);

impl ConversationId {
    /// `kind` and `name` keep apart what different keys say.
    pub(crate) fn new(kind: &str, name: &str, value: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in [kind.as_bytes(), name.as_bytes()] {
            digest.update(part);
            digest.update([0]);
        }
        digest.update(value);
        let whole = digest.finalize();
        Self(
            whole
                .iter()
                .take(16)
                .fold(0, |id, byte| id << 8 | u128::from(*byte)),
        )
    }

    /// The same conversation, told apart: what its copy is measured against.
    pub(crate) fn twin(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// From 0 to 9,999, and the same for the same conversation.
    pub(crate) fn lot(self) -> u64 {
        (self.0 >> 1) as u64 % 10_000
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for ConversationId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

impl Serialize for ConversationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConversationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// By header, cookie or query, in the order of `keys`.
pub(crate) fn in_head(keys: &[Key], head: &Parts) -> Option<ConversationId> {
    keys.iter().find_map(|key| match key {
        Key::Header(name) => in_header(name, &head.headers),
        Key::Cookie(name) => in_cookies(name, &head.headers),
        Key::Query(name) => in_query(name, head.uri.query()?),
        Key::Json(_) => None,
    })
}

pub(crate) fn wants_body(keys: &[Key]) -> bool {
    keys.iter().any(|key| matches!(key, Key::Json(_)))
}

pub(crate) fn in_body(keys: &[Key], body: &[u8]) -> Option<ConversationId> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    keys.iter().find_map(|key| match key {
        Key::Json(path) => in_json(path, &value),
        _ => None,
    })
}

/// An agent may name a conversation in its first reply (`Mcp-Session-Id`, a cookie).
pub(crate) fn in_reply(keys: &[Key], headers: &HeaderMap) -> Option<ConversationId> {
    keys.iter().find_map(|key| match key {
        Key::Header(name) => in_header(name, headers),
        Key::Cookie(name) => in_set_cookies(name, headers),
        Key::Query(_) | Key::Json(_) => None,
    })
}

/// What a request says by this key; nothing of its body.
pub(crate) fn said<'h>(key: &Key, head: &'h Parts) -> Option<&'h [u8]> {
    let said = match key {
        Key::Header(name) => head.headers.get(name).map(|value| value.as_bytes()),
        Key::Cookie(name) => {
            let all = head.headers.get_all(COOKIE).into_iter();
            let mut pairs = all.flat_map(|cookies| cookies.as_bytes().split(|byte| *byte == b';'));
            pairs.find_map(|pair| value_of(name, pair))
        }
        Key::Query(name) => {
            let mut pairs = head.uri.query()?.as_bytes().split(|byte| *byte == b'&');
            pairs.find_map(|pair| value_of(name, pair))
        }
        Key::Json(_) => None,
    };
    said.map(<[u8]>::trim_ascii).filter(|said| !said.is_empty())
}

fn in_header(name: &str, headers: &HeaderMap) -> Option<ConversationId> {
    id("header", name, headers.get(name)?.as_bytes())
}

fn in_cookies(name: &str, headers: &HeaderMap) -> Option<ConversationId> {
    let all = headers.get_all(COOKIE).into_iter();
    let mut pairs = all.flat_map(|cookies| cookies.as_bytes().split(|byte| *byte == b';'));
    id("cookie", name, pairs.find_map(|pair| value_of(name, pair))?)
}

fn in_set_cookies(name: &str, headers: &HeaderMap) -> Option<ConversationId> {
    let all = headers.get_all(SET_COOKIE).into_iter();
    let mut pairs = all.filter_map(|cookie| cookie.as_bytes().split(|byte| *byte == b';').next());
    id("cookie", name, pairs.find_map(|pair| value_of(name, pair))?)
}

fn in_query(name: &str, query: &str) -> Option<ConversationId> {
    let mut pairs = query.as_bytes().split(|byte| *byte == b'&');
    id("query", name, pairs.find_map(|pair| value_of(name, pair))?)
}

fn in_json(path: &str, value: &serde_json::Value) -> Option<ConversationId> {
    let found = path
        .split('.')
        .try_fold(value, |value, field| value.get(field));
    match found? {
        serde_json::Value::String(text) => id("json", path, text.as_bytes()),
        serde_json::Value::Number(number) => id("json", path, number.to_string().as_bytes()),
        _ => None,
    }
}

fn value_of<'a>(name: &str, pair: &'a [u8]) -> Option<&'a [u8]> {
    let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
    value.strip_prefix(b"=")
}

/// An empty value names no conversation.
fn id(kind: &str, name: &str, value: &[u8]) -> Option<ConversationId> {
    let value = value.trim_ascii();
    (!value.is_empty()).then(|| ConversationId::new(kind, name, value))
}

#[cfg(test)]
mod tests;
