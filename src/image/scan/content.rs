//! Secrets by what is written: well-known formats, and values given to secret-like names.
//!
//! One search for all beginnings runs over a block; only what it stops at is looked at closely.

use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use anyhow::Result;

use super::formats::{FORMATS, format, private_key};
use super::value::{Written, is_placeholder, looks_random};

/// Secret-like names without their first letter, which may be small or not.
const NAMES: [&str; 20] = [
    "assword",
    "ASSWORD",
    "asswd",
    "ASSWD",
    "assphrase",
    "ASSPHRASE",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "pi_key",
    "PI_KEY",
    "pi-key",
    "piKey",
    "pikey",
    "ccess_key",
    "CCESS_KEY",
    "ccessKey",
    "ccountKey",
    "rivate_key",
];
const KEY: &str = "-----BEGIN ";
const URL: &str = "://";

/// Tokens that only tell where a list goes on, or that a request is the same again.
const HARMLESS: [&str; 9] = [
    "next",
    "client",
    "request",
    "change",
    "lock",
    "continuation",
    "idempotency",
    "update",
    "page",
];

/// What may follow in the same name: `SECRET_KEY_BASE`, and not `token_url`.
const ENDS: [&str; 9] = [
    "",
    "key",
    "_key",
    "-key",
    "accesskey",
    "_access_key",
    "_key_base",
    "value",
    "_value",
];

pub(super) fn needles() -> Result<AhoCorasick> {
    let formats = FORMATS.iter().map(|format| format.start);
    let all = [KEY, URL].into_iter().chain(formats).chain(NAMES);
    let mut builder = AhoCorasick::builder();
    Ok(builder.match_kind(MatchKind::LeftmostFirst).build(all)?)
}

pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_binary: bool,
}

impl Block<'_> {
    /// All that begins in `range`; what is before and behind it is looked at only.
    pub(super) fn scan(
        &self,
        needles: &AhoCorasick,
        range: Range<usize>,
        mut found: impl FnMut(usize, &'static str),
    ) {
        if self.is_binary {
            let all = memchr::memmem::find_iter(&self.bytes[range.start..], KEY);
            let all = all.map(|at| range.start + at);
            for at in all.take_while(|at| *at < range.end) {
                private_key(&self.bytes[at..]).inspect(|what| found(at, what));
            }
            return;
        }
        let input = Input::new(self.bytes).range(range.start..);
        let all = needles.find_iter(input);
        for hit in all.take_while(|hit| hit.start() < range.end) {
            if let Some(what) = self.judge(hit.pattern().as_usize(), hit.range()) {
                found(hit.start(), what);
            }
        }
    }

    fn judge(&self, needle: usize, at: Range<usize>) -> Option<&'static str> {
        match needle {
            0 => private_key(&self.bytes[at.start..]),
            1 => url(&self.bytes[at.end..]),
            needle => match FORMATS.get(needle - 2) {
                Some(known) => format(known, self.bytes, at.start),
                None if is_harmless(&self.bytes[..at.start]) => None,
                None => given(&self.bytes[at.end..]),
            },
        }
    }
}

/// By what is before the word without its first letter: `NextToken`, `AWS::ApiGateway::ApiKey`.
fn is_harmless(before: &[u8]) -> bool {
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-');
    let length = before.iter().rev().take(40).take_while(in_name).count();
    let (before, name) = before.split_at(before.len() - length);
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(b"t").unwrap_or_default();
    let name = name.strip_suffix(b"_").unwrap_or(name);
    before.ends_with(b"::") || HARMLESS.iter().any(|word| name.ends_with(word.as_bytes()))
}

/// `name = value` in any common syntax, from where the secret-like word ends.
pub(super) fn given(rest: &[u8]) -> Option<&'static str> {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let end = rest
        .iter()
        .take(24)
        .take_while(|byte| in_name(byte))
        .count();
    let name = rest[..end].to_ascii_lowercase();
    if !ENDS.iter().any(|end| end.as_bytes() == name) {
        return None;
    }
    let value = Written::after(&rest[end..])?;
    let random = looks_random(value.text, if value.is_quoted { 12 } else { 16 });
    (random && value.is_literal()).then_some("a value that looks like a secret")
}

/// Hosts of examples, and this machine.
const NOWHERE: [&str; 5] = ["host", "hostname", "server", "localhost", "127.0.0.1"];
/// RFC 2606.
const RESERVED: [&str; 6] = [
    "example",
    "example.com",
    "example.org",
    "example.net",
    ".test",
    ".invalid",
];

/// `postgres://user:password@host`, from behind the `://`.
pub(super) fn url(rest: &[u8]) -> Option<&'static str> {
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"/\"'`<>?#,;()\\[]|{}$*".contains(byte);
    let end = rest.iter().take(300).position(ends)?;
    let authority = std::str::from_utf8(&rest[..end]).ok()?;
    let (login, host) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let name = host.split(':').next().unwrap_or_default();
    let nowhere = NOWHERE.contains(&name) || RESERVED.iter().any(|end| name.ends_with(end));
    let is_weak = password.len() < 12 && password.bytes().all(|byte| byte.is_ascii_lowercase());
    let harmless = password == user || password.len() < 5 || password.contains(['%', ':']);
    let placeholder = is_placeholder(password.as_bytes());
    (!nowhere && !is_weak && !harmless && !placeholder).then_some("a URL with a password")
}
