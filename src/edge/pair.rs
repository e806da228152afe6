//! A request, how it was answered, and how another release answers a copy of it; what differs, and
//! what of it may be kept.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, COOKIE, PROXY_AUTHORIZATION};
use hyper::{HeaderMap, Method, Response, Uri};
use serde_json::{Map, Value, json};

use super::api::Key;
use crate::redact::Redactor;

/// What is kept of an answer; a longer one is the same as no other.
const KEPT: usize = 256 << 10;
/// Places that are named where two answers differ.
const NAMED: usize = 20;
const LEFT_OUT: &str = "[redacted]";

pub(crate) struct Pair {
    /// Milliseconds since the epoch.
    pub(crate) at: u64,
    pub(crate) asked: Asked,
    pub(crate) original: Heard,
    pub(crate) copy: Heard,
}

#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, as far as it was heard.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) pool: String,
    /// `None`: there was none.
    pub(crate) status: Option<u16>,
    pub(crate) millis: u64,
    is_encoded: bool,
    body: BytesMut,
    length: u64,
    is_broken: bool,
}

impl Heard {
    pub(crate) fn head<B>(&mut self, reply: &Response<B>) {
        self.status = Some(reply.status().as_u16());
        self.is_encoded = reply.headers().contains_key(CONTENT_ENCODING);
    }

    pub(crate) fn hear(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        let room = KEPT.saturating_sub(self.body.len());
        self.body.extend_from_slice(&data[..data.len().min(room)]);
    }

    pub(crate) fn breaks_off(&mut self) {
        self.is_broken = true;
    }

    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    fn is_whole(&self) -> bool {
        !self.is_broken && self.length == self.body.len() as u64
    }

    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    fn told(&self, redact: &[Key], secrets: &Redactor) -> Value {
        let body = match self.is_whole() && !self.is_encoded {
            true => content(&self.body, redact),
            false => Value::Null,
        };
        json!({
            "release": self.pool,
            "status": self.status,
            "millis": self.millis,
            "bytes": self.length,
            "broken": self.is_broken,
            "body": secrets.redact_json(body),
        })
    }
}

impl Pair {
    pub(crate) fn same_status(&self) -> bool {
        self.original.status.is_some() && self.original.status == self.copy.status
    }

    pub(crate) fn is_same(&self) -> bool {
        self.same_status() && self.same_body()
    }

    fn same_body(&self) -> bool {
        let (original, copy) = (&self.original, &self.copy);
        let same = || {
            original
                .json()
                .is_some_and(|json| Some(json) == copy.json())
        };
        original.is_whole() && copy.is_whole() && (original.body == copy.body || same())
    }

    /// One line of JSON, without what nobody may keep, what `redact` names and values of `secrets`.
    pub(crate) fn line(&self, redact: &[Key], secrets: &Redactor) -> Value {
        let clean = |value| secrets.redact_json(value);
        json!({
            "at": self.at,
            "request": {
                "method": self.asked.method.as_str(),
                "path": clean(path(&self.asked.uri, redact).into()),
                "headers": clean(headers(&self.asked.headers, redact)),
                "body": clean(content(&self.asked.body, redact)),
            },
            "stable": self.original.told(redact, secrets),
            "candidate": self.copy.told(redact, secrets),
            "same": self.is_same(),
            "differs": clean(self.differs().into()),
        })
    }

    fn differs(&self) -> Vec<String> {
        let mut differs = Vec::new();
        if !self.same_status() {
            differs.push("status".to_owned());
        }
        match (self.original.json(), self.copy.json()) {
            (Some(one), Some(other)) => difference("$", &one, &other, &mut differs),
            _ if !self.same_body() => differs.push("body".to_owned()),
            _ => {}
        }
        differs.truncate(NAMED);
        differs
    }
}

/// Paths of what is different, or only in one of them.
fn difference(at: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    if one == other || found.len() >= NAMED {
        return;
    }
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let more = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(more) {
                let at = format!("{at}.{key}");
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => difference(&at, one, other, found),
                    _ => found.push(at),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                difference(&format!("{at}[{index}]"), one, other, found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

fn path(uri: &Uri, redact: &[Key]) -> String {
    let Some(query) = uri.query() else {
        return uri.path().to_owned();
    };
    let is_named = |name: &str| {
        redact
            .iter()
            .any(|key| matches!(key, Key::Query(named) if named == name))
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_named(&plain(name)) => format!("{name}={LEFT_OUT}"),
        _ => pair.to_owned(),
    });
    let pairs: Vec<String> = pairs.collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

/// As whoever reads a query takes it: `tok%65n` is `token`.
fn plain(name: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(name).decode_utf8_lossy()
}

fn headers(headers: &HeaderMap, redact: &[Key]) -> Value {
    let is_named = |name: &str| {
        redact
            .iter()
            .any(|key| matches!(key, Key::Header(named) if named.eq_ignore_ascii_case(name)))
    };
    let never = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    let told = headers.iter().map(|(name, value)| {
        let value = match never.contains(name) || is_named(name.as_str()) {
            true => LEFT_OUT.into(),
            false => String::from_utf8_lossy(value.as_bytes()),
        };
        (name.as_str().to_owned(), Value::from(value))
    });
    Value::Object(told.collect::<Map<String, Value>>())
}

/// Where a field of JSON is to be left out and there is no JSON, all of it is.
fn content(body: &[u8], redact: &[Key]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let mut fields = redact.iter().filter_map(|key| match key {
        Key::Json(path) => Some(path.as_str()),
        _ => None,
    });
    match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            fields.for_each(|path| leave_out(&mut json, path));
            json
        }
        Err(_) if fields.next().is_some() => LEFT_OUT.into(),
        Err(_) => match std::str::from_utf8(body) {
            Ok(text) => text.into(),
            Err(_) => Value::Null,
        },
    }
}

/// `a.b`: in every item where there is a list on the way.
fn leave_out(value: &mut Value, path: &str) {
    match (value, path.split_once('.')) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| leave_out(item, path)),
        (Value::Object(fields), Some((first, rest))) => {
            if let Some(field) = fields.get_mut(first) {
                leave_out(field, rest);
            }
        }
        (Value::Object(fields), None) => {
            if let Some(field) = fields.get_mut(path) {
                *field = LEFT_OUT.into();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn heard(status: u16, body: &str) -> Heard {
        let mut heard = Heard {
            status: Some(status),
            ..Heard::default()
        };
        heard.hear(body.as_bytes());
        heard
    }

    fn pair(original: Heard, copy: Heard) -> Pair {
        let mut headers = HeaderMap::new();
        let all = [
            ("authorization", "Bearer abc"),
            ("cookie", "a=b"),
            ("x-user", "anna"),
        ];
        for (name, value) in all {
            headers.insert(name, value.parse().unwrap());
        }
        Pair {
            at: 1,
            asked: Asked {
                method: Method::POST,
                uri: "/chat?token=abc&tok%65n=cde&q=1".parse().unwrap(),
                headers,
                body: r#"{"messages":[{"text":"hi","email":"a@b"}]}"#.into(),
            },
            original,
            copy,
        }
    }

    #[test]
    fn what_differs_is_named() {
        let long = "x".repeat(KEPT + 1);
        let cases = [
            ((200, "a"), (200, "a"), true, &[][..]),
            ((200, "a"), (200, "b"), false, &["body"]),
            ((200, "a"), (500, "a"), false, &["status"]),
            (
                (200, r#"{"a":1,"b":2}"#),
                (200, r#"{"b":2, "a":1}"#),
                true,
                &[],
            ),
            (
                (200, r#"{"a":{"b":1},"c":[1,2]}"#),
                (200, r#"{"a":{"b":2},"c":[1,3],"d":0}"#),
                false,
                &["$.a.b", "$.c[1]", "$.d"],
            ),
            ((200, long.as_str()), (200, long.as_str()), false, &["body"]),
        ];
        for (one, other, same, differs) in cases {
            let pair = pair(heard(one.0, one.1), heard(other.0, other.1));
            assert_eq!(pair.is_same(), same);
            assert_eq!(pair.differs(), differs);
        }
    }

    #[test]
    fn what_nobody_may_keep_is_left_out() {
        let redact = [
            Key::Header("X-User".into()),
            Key::Query("token".into()),
            Key::Json("messages.email".into()),
        ];
        let pair = pair(
            heard(200, r#"{"messages":{"email":"a@b"}}"#),
            heard(200, "a@b"),
        );
        let none = Redactor::default();
        let line = pair.line(&redact, &none);
        let text = line.to_string();
        for secret in ["abc", "cde", "a=b", "anna", "a@b"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert_eq!(line["request"]["body"]["messages"][0]["text"], "hi");
        assert_eq!(line["candidate"]["body"], LEFT_OUT);
        assert!(pair.line(&[], &none).to_string().contains("anna"));
    }

    #[test]
    fn values_of_secrets_are_left_out_wherever_they_stand() {
        let secrets = [
            ("TOKEN".to_owned(), "abcdef".to_owned()),
            ("WORD".to_owned(), "stable".to_owned()),
        ];
        let secrets = Redactor::new(&BTreeMap::from(secrets));
        let mut pair = pair(
            heard(200, r#"{"abcdef":"YWJjZGVm"}"#),
            heard(200, "data: abcdef, and stable\n\n"),
        );
        pair.asked.uri = "/chat?key=abcdef".parse().unwrap();
        let value = "is abcdef".parse().unwrap();
        pair.asked.headers.insert("x-user", value);
        pair.asked.body = r#"{"said":"abcdef"}"#.into();
        let line = pair.line(&[], &secrets);
        let text = line.to_string();
        for value in ["abcdef", "YWJjZGVm"] {
            assert!(!text.contains(value), "{value}: {text}");
        }
        assert_eq!(line["request"]["path"], "/chat?key=[TOKEN redacted]");
        assert_eq!(line["stable"]["status"], 200, "{text}");
        let said = "data: [TOKEN redacted], and [WORD redacted]\n\n";
        assert_eq!(line["candidate"]["body"], said);
    }
}
