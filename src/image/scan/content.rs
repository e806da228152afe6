//! Secrets by what is written: well-known formats, and values given to secret-like names.
//!
//! One search for all beginnings runs over a block; only what it stops at is looked at closely.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use anyhow::Result;

use super::chance::looks_random;
use super::formats::{FORMATS, bot, encoded_key, format, private_key};
use super::keys::{KEYS, is_key};
use super::login::{SCHEMES, command, header, login, signature, url};
use super::value::Written;

/// Secret-like names, most without their first letter, which may be small or not. One that begins
/// with another stands before it.
const NAMES: [&str; 30] = [
    "password",
    "Password",
    "PASSWORD",
    "passwd",
    "Passwd",
    "PASSWD",
    "passphrase",
    "Passphrase",
    "PASSPHRASE",
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
    "redential",
    "REDENTIAL",
    "PIKEY",
    "_pwd",
    "_PWD",
    "_pw",
    "_PW",
];
/// Those that are parts of other words, too: `bypass`. Each stands behind the longer ones that begin
/// with it.
const SHORT: [&str; 9] = [
    "pass", "Pass", "PASS", "pwd", "Pwd", "PWD", "auth", "Auth", "AUTH",
];
/// What is a secret, or the end of one, by what stands around it.
const SIGNS: [&str; 6] = [
    "-----BEGIN ",
    "://",
    ":AA",
    "sig=",
    "LS0tLS1CRUdJTi",
    "curl ",
];

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
const ENDS: [&str; 10] = [
    "",
    "s",
    "key",
    "_key",
    "-key",
    "accesskey",
    "_access_key",
    "_key_base",
    "value",
    "_value",
];

/// What is shorter may be typed, or the name of something.
pub(super) const SHORTEST: usize = 12;
/// Of a key: more things than secrets have one.
pub(super) const SHORTEST_KEY: usize = 16;

/// What finds them fastest takes longer to make than to look through a short text.
pub(super) fn needles(kind: AhoCorasickKind) -> Result<AhoCorasick> {
    let formats = FORMATS.iter().map(|format| format.start);
    let all = SIGNS.into_iter().chain(SCHEMES);
    let all = all.chain(formats).chain(NAMES).chain(SHORT).chain(KEYS);
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
        let behind_schemes = needle.checked_sub(SIGNS.len() + SCHEMES.len());
        match (needle, behind_schemes) {
            (0, _) => private_key(&self.bytes[at.start..]),
            (1, _) => url(rest),
            (2, _) => bot(before, rest),
            (3, _) => signature(before, rest),
            (4, _) => encoded_key(&self.bytes[at.start..]),
            (5, _) => command(rest),
            (scheme, None) => header(before, SCHEMES[scheme - SIGNS.len()], rest),
            (_, Some(needle)) => match FORMATS.get(needle) {
                Some(known) => format(known, before, rest, self.is_binary),
                None if self.is_binary => None,
                None => self.named(needle - FORMATS.len(), &at),
            },
        }
    }

    fn named(&self, name: usize, at: &Range<usize>) -> Option<&'static str> {
        let (before, rest) = (&self.bytes[..at.start], &self.bytes[at.end..]);
        let is_short = name >= NAMES.len();
        let least = match name.checked_sub(NAMES.len() + SHORT.len()) {
            Some(_) if is_key(before, rest) => SHORTEST_KEY,
            None if !(is_harmless(before) || is_short && self.is_part(at)) => SHORTEST,
            _ => return None,
        };
        given(before, rest, least)
    }

    /// Whether a word goes on from what is before it, which a capital in front of small letters does not.
    fn is_part(&self, at: &Range<usize>) -> bool {
        let is_hump = self.bytes[at.start].is_ascii_uppercase()
            && self.bytes[at.end - 1].is_ascii_lowercase();
        let before = self.bytes[..at.start].last();
        !is_hump && before.is_some_and(u8::is_ascii_alphabetic)
    }
}

/// By what is before the word without its first letter: `NextToken`, `AWS::ApiGateway::ApiKey`.
fn is_harmless(before: &[u8]) -> bool {
    let (before, name) = split_name(before);
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(b"t").unwrap_or_default();
    let name = name.strip_suffix(b"_").unwrap_or(name);
    before.ends_with(b"::") || HARMLESS.iter().any(|word| name.ends_with(word.as_bytes()))
}

/// What stands before a name, and what of the name stands before the word in it.
pub(super) fn split_name(before: &[u8]) -> (&[u8], &[u8]) {
    let in_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-');
    let length = before.iter().rev().take(40).take_while(in_name).count();
    before.split_at(before.len() - length)
}

/// `name = value` in any common syntax, from where the secret-like word ends.
fn given(before: &[u8], rest: &[u8], least: usize) -> Option<&'static str> {
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
    let value = Written::after(rest).or_else(|| Written::beside(rest));
    let value = value.or_else(|| Written::next(rest));
    let is_option = || split_name(before).1.starts_with(b"--");
    let value = value.or_else(|| is_option().then(|| Written::behind(rest))?)?;
    let is_secret = login(value.text).unwrap_or_else(|| looks_random(value.text, least));
    (is_secret && value.is_literal()).then_some("a value that looks like a secret")
}
