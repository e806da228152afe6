//! Secrets by what is written: well-known formats, and values given to secret-like names.
//!
//! One search for all beginnings runs over a block; only what it stops at is looked at closely.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use anyhow::Result;

use super::formats::{FORMATS, format, private_key};
use super::login::{SCHEMES, header, url};
use super::value::{Written, looks_random};

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

/// Up to 64 are looked for many bytes at a time, more only byte by byte. What finds them fastest takes
/// longer to make than to look through a short text.
pub(super) fn needles(kind: AhoCorasickKind) -> Result<AhoCorasick> {
    let formats = FORMATS.iter().map(|format| format.start);
    let all = [KEY, URL].into_iter().chain(SCHEMES);
    let all = all.chain(formats).chain(NAMES);
    let mut builder = AhoCorasick::builder();
    let builder = builder.match_kind(MatchKind::LeftmostFirst);
    Ok(builder.kind(Some(kind)).build(all)?)
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
        let input = Input::new(self.bytes).range(range.start..);
        let all = needles.find_iter(input);
        for hit in all.take_while(|hit| hit.start() < range.end) {
            if let Some(what) = self.judge(hit.pattern().as_usize(), hit.range()) {
                found(hit.start(), what);
            }
        }
    }

    /// What a binary file says beside a word is no value given to it: only what is a secret by
    /// itself is one there.
    fn judge(&self, needle: usize, at: Range<usize>) -> Option<&'static str> {
        let (before, rest) = (&self.bytes[..at.start], &self.bytes[at.end..]);
        let behind_schemes = needle.checked_sub(2 + SCHEMES.len());
        match (needle, behind_schemes) {
            (0, _) => private_key(&self.bytes[at.start..]),
            (1, _) => url(rest),
            (scheme, None) => header(before, SCHEMES[scheme - 2], rest),
            (_, Some(needle)) => match FORMATS.get(needle) {
                Some(known) => format(known, before, rest, self.is_binary),
                None if self.is_binary || is_harmless(before) => None,
                None => given(rest),
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
    let rest = &rest[end..];
    let value = Written::after(rest).or_else(|| Written::beside(rest))?;
    let random = looks_random(value.text, if value.is_quoted { 12 } else { 16 });
    (random && value.is_literal()).then_some("a value that looks like a secret")
}
