//! Names that end in `key`: most are secrets, and many more things have one.

use super::content::split_name;

/// Behind another word, or as the last hump of a name.
pub(super) const KEYS: [&str; 7] = ["_key", "_KEY", "_Key", "-key", "-KEY", "-Key", "Key"];

/// What a key that is no secret is one of, or for: the end of what stands before it.
const PLAIN: [&str; 63] = [
    "cache",
    "primary",
    "foreign",
    "partition",
    "sort",
    "object",
    "i18n",
    "hash",
    "index",
    "range",
    "row",
    "map",
    "dict",
    "group",
    "entity",
    "item",
    "attribute",
    "attr",
    "property",
    "param",
    "field",
    "column",
    "unique",
    "natural",
    "lookup",
    "search",
    "query",
    "route",
    "registry",
    "config",
    "setting",
    "settings",
    "option",
    "label",
    "tag",
    "header",
    "meta",
    "metadata",
    "data",
    "state",
    "event",
    "message",
    "translation",
    "locale",
    "image",
    "asset",
    "file",
    "bucket",
    "idempotency",
    "hot",
    "env",
    "json",
    "host",
    "ssh",
    "gpg",
    "pgp",
    "site",
    "consumer",
    "publishable",
    "websocket",
    "verifier",
    "manager",
    "get",
];

/// `OPENAI_KEY` and `signingKey`, and neither `key` alone nor `keyword` nor `public_key`.
pub(super) fn is_key(before: &[u8], rest: &[u8]) -> bool {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if rest.first().is_some_and(goes_on) {
        return false;
    }
    let (before, name) = split_name(before);
    let name = name.to_ascii_lowercase();
    let holds_public = memchr::memmem::find(&name, b"pub").is_some();
    let is_named = name.last().is_some_and(u8::is_ascii_alphanumeric);
    is_named
        && !holds_public
        && !before.ends_with(b"::")
        && !PLAIN.iter().any(|word| name.ends_with(word.as_bytes()))
}

pub(super) fn names_key(name: &str) -> bool {
    let mut befores = KEYS.iter().filter_map(|end| name.strip_suffix(end));
    befores.any(|before| is_key(before.as_bytes(), b""))
}
