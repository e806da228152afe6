//! Secrets by what is written: well-known formats, and values given to secret-like names.
//!
//! One search for all beginnings runs over a block; only what it stops at is looked at closely.

use std::ops::Range;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use anyhow::Result;

use super::formats::{FORMATS, format, private_key};
use super::value::{Written, is_placeholder, looks_random};

/// Secret-like names without their first letter, which may be small or not.
const NAMES: [&str; 17] = [
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
    "rivate_key",
];
const KEY: &str = "-----BEGIN ";
const URL: &str = "://";

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
                None => given(&self.bytes[at.end..]),
            },
        }
    }
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

/// `postgres://user:password@host`, from behind the `://`.
pub(super) fn url(rest: &[u8]) -> Option<&'static str> {
    let ends = |byte: &u8| !byte.is_ascii_graphic() || b"/\"'`<>?#,;()\\[]|{}$*".contains(byte);
    let end = rest.iter().take(300).position(ends)?;
    let authority = std::str::from_utf8(&rest[..end]).ok()?;
    let (login, host) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let example = ["example", "localhost", "127.0.0.1", "host"]
        .iter()
        .any(|word| host.starts_with(word) || host.contains("example."));
    let harmless = password == user || password.len() < 5 || password.contains("%s");
    let placeholder = is_placeholder(password.as_bytes());
    (!example && !harmless && !placeholder).then_some("a URL with a password")
}
