//! What text may leave agentctl with: no value of a secret, and nothing that steers a terminal.
//!
//! Pure. It finds a value as it is, in base64 (alone or inside a longer text), percent-encoded and
//! escaped for JSON, as the common libraries do either. A value shorter than 4 characters is left alone: it would be found everywhere.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::Value;

/// A text is left alone below this many characters.
const SHORTEST: usize = 4;
/// Parts of a value (a line of a key, a stretch of base64) say little below this many characters.
const SHORTEST_PART: usize = 8;

/// Replaces secret values with `[NAME redacted]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// (what is looked for, what stands there instead), longest first.
    forms: Vec<(String, String)>,
}

impl Redactor {
    /// From names and values.
    pub(crate) fn new(secrets: &BTreeMap<String, String>) -> Self {
        Self::of(secrets)
    }

    /// A name may have had several values.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let mut forms: Vec<_> = secrets
            .into_iter()
            .flat_map(|(name, value)| {
                let label = format!("[{name} redacted]");
                forms(value)
                    .into_iter()
                    .map(move |form| (form, label.clone()))
            })
            .collect();
        forms.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup_by(|a, b| a.0 == b.0);
        Self { forms }
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        self.passed(text, |_| false).0
    }

    /// Of a text that goes on: what may leave already, and the rest, which may be a value's beginning.
    pub(crate) fn redact_so_far<'t>(&self, text: &'t str) -> (String, &'t str) {
        let begins = |rest: &str| self.forms.iter().any(|(form, _)| begins(form, rest));
        self.passed(text, begins)
    }

    /// Up to where it is told to wait.
    fn passed<'t>(&self, text: &'t str, waits: impl Fn(&str) -> bool) -> (String, &'t str) {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next().filter(|_| !waits(rest)) {
            let found = self
                .forms
                .iter()
                .find(|(form, _)| rest.starts_with(form.as_str()));
            rest = match found {
                Some((form, label)) => {
                    clean.push_str(label);
                    &rest[form.len()..]
                }
                None => {
                    clean.push(first);
                    &rest[first.len_utf8()..]
                }
            };
        }
        (clean, rest)
    }

    /// One line for a terminal: nothing secret in it, and nothing that steers.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.redact(&harmless(text))
    }

    /// Every string inside, the names of fields too where a reply chose them.
    pub(crate) fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.redact_json(item))
                .collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.redact(&name), self.redact_json(value)))
                .collect(),
            plain => plain,
        }
    }
}

/// Whether a form may go on where a text ends.
fn begins(form: &str, rest: &str) -> bool {
    rest.len() < form.len() && form.starts_with(rest)
}

/// One line without escape sequences; what else would steer a terminal is spelled out.
pub(crate) fn harmless(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in anstream::adapter::strip_str(text).to_string().chars() {
        match c {
            '\n' | '\t' => line.push(' '),
            '\r' => (),
            c if steers(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// Control characters, and the ones that change the direction text is read in.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every text that gives this value away.
fn forms(value: &str) -> Vec<String> {
    if value.trim().chars().count() < SHORTEST {
        return Vec::new();
    }
    let whole = [value, value.trim()].into_iter().flat_map(spellings);
    let lines = value
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SHORTEST_PART);
    whole.chain(lines.flat_map(spellings)).collect()
}

fn spellings(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned(), harmless(text)];
    forms.extend(json_escaped(text));
    forms.extend(percent_encoded(text));
    forms.extend([STANDARD.encode(text), URL_SAFE.encode(text)]);
    forms.extend((0..3).flat_map(|skip| inside_base64(text, skip)));
    forms.retain(|form| form.chars().count() >= SHORTEST);
    forms
}

/// What base64 makes of the value inside a longer text (`user:password`), where its first `skip`
/// bytes share a group with what stands before it, and its last ones with what comes after.
fn inside_base64(text: &str, skip: usize) -> Vec<String> {
    let bytes = text.as_bytes().get(skip..).unwrap_or_default();
    let groups = STANDARD_NO_PAD.encode(&bytes[..bytes.len() / 3 * 3]);
    match groups.len() < SHORTEST_PART {
        true => Vec::new(),
        false => vec![groups.replace('+', "-").replace('/', "_"), groups],
    }
}

/// Some libraries escape a slash too, and some whatever is not ASCII.
fn json_escaped(text: &str) -> Vec<String> {
    let quoted = Value::from(text).to_string();
    let usual = quoted[1..quoted.len() - 1].to_owned();
    let units = |c: char, digits: fn(u16) -> String| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units)
            .iter()
            .map(|unit| digits(*unit))
            .collect::<String>()
    };
    let ascii = |digits: fn(u16) -> String| {
        let all = usual.chars().map(|c| match c.is_ascii() {
            true => c.to_string(),
            false => units(c, digits),
        });
        all.collect::<String>()
    };
    let ascii = [
        ascii(|unit| format!("\\u{unit:04x}")),
        ascii(|unit| format!("\\u{unit:04X}")),
    ];
    let all = ascii.into_iter().chain([usual]);
    all.flat_map(|form| [form.replace('/', "\\/"), form])
        .collect()
}

/// What is left as it is beside letters, digits and `-._~`: by RFC 3986, by Python's `quote`, by
/// JavaScript's `encodeURIComponent` and `encodeURI`.
const PLAIN: [&str; 4] = ["", "/", "!'()*", ";/?:@&=+$,#!'()*"];

/// With hexadecimal digits in both cases, and blanks as forms have them too.
fn percent_encoded(text: &str) -> Vec<String> {
    let digits: [fn(u8) -> String; 2] =
        [|byte| format!("%{byte:02X}"), |byte| format!("%{byte:02x}")];
    let encoded = |plain: &str, digits: fn(u8) -> String| {
        let bytes = text.bytes().map(|byte| percent(byte, plain, digits));
        bytes.collect::<String>()
    };
    let all = PLAIN
        .iter()
        .flat_map(|plain| digits.map(|digits| encoded(plain, digits)));
    all.flat_map(|form| [form.replace("%20", "+"), form])
        .collect()
}

fn percent(byte: u8, plain: &str, digits: fn(u8) -> String) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match is_plain || plain.as_bytes().contains(&byte) {
        true => char::from(byte).to_string(),
        false => digits(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[(&str, &str)]) -> Redactor {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Redactor::new(&secrets.iter().map(owned).collect())
    }

    #[test]
    fn every_form_of_a_value_is_found() {
        let redactor = redactor(&[("KEY", "sk-a/b+c?\"d\"é"), ("SHORT", "abc")]);
        let cases = [
            ("key sk-a/b+c?\"d\"é.", "key [KEY redacted]."),
            (
                "{\"k\":\"sk-a/b+c?\\\"d\\\"é\"}",
                "{\"k\":\"[KEY redacted]\"}",
            ),
            ("?k=sk-a%2Fb%2Bc%3F%22d%22%C3%A9&x", "?k=[KEY redacted]&x"),
            ("?k=sk-a%2fb%2bc%3f%22d%22%c3%a9", "?k=[KEY redacted]"),
            ("?k=sk-a/b%2Bc%3F%22d%22%C3%A9", "?k=[KEY redacted]"),
            ("sk-a\\/b+c?\\\"d\\\"é", "[KEY redacted]"),
            ("sk-a/b+c?\\\"d\\\"\\u00e9", "[KEY redacted]"),
            ("sk-a\\/b+c?\\\"d\\\"\\u00E9", "[KEY redacted]"),
            ("c2stYS9iK2M/ImQiw6k=", "[KEY redacted]"),
            ("c2stYS9iK2M_ImQiw6k=", "[KEY redacted]"),
            ("sk-\u{1b}[31ma/b+c?\"d\"é", "[KEY redacted]"),
            ("sk-a/b is abc", "sk-a/b is abc"),
        ];
        for (text, clean) in cases {
            assert_eq!(redactor.clean(text), clean);
        }
    }

    #[test]
    fn a_blank_is_found_as_forms_have_it() {
        let redactor = redactor(&[("KEY", "two words/x")]);
        for text in [
            "two+words%2Fx",
            "two%20words%2fx",
            "two+words/x",
            "two%20words/x",
        ] {
            assert_eq!(redactor.clean(text), "[KEY redacted]");
        }
    }

    #[test]
    fn a_value_is_found_inside_longer_base64() {
        let redactor = redactor(&[("PASSWORD", "correct horse battery")]);
        for user in ["a:", "ab:", "abc:"] {
            let header = STANDARD.encode(format!("{user}correct horse battery!"));
            let clean = redactor.redact(&header);
            assert!(clean.contains("[PASSWORD redacted]"), "{clean}");
        }
    }

    #[test]
    fn a_key_of_several_lines_is_found_line_by_line() {
        let redactor = redactor(&[("PEM", "--BEGIN--\nMIIEpAIBAAKCAQEA\n--END--\n")]);
        assert_eq!(redactor.redact("MIIEpAIBAAKCAQEA"), "[PEM redacted]");
    }

    #[test]
    fn a_value_in_pieces_waits_for_its_end() {
        let redactor = redactor(&[("A", "token"), ("B", "token-of-b")]);
        let cases = [
            ("the tok", ("the ", "tok")),
            ("the token", ("the ", "token")),
            ("the tokens", ("the [A redacted]s", "")),
            ("token-of-b t", ("[B redacted] ", "t")),
            ("toto", ("to", "to")),
            ("plain", ("plain", "")),
        ];
        for (text, (clean, rest)) in cases {
            let found = redactor.redact_so_far(text);
            assert_eq!((found.0.as_str(), found.1), (clean, rest), "{text}");
        }
    }

    #[test]
    fn the_longest_value_wins() {
        let redactor = redactor(&[("A", "token"), ("B", "token-of-b")]);
        assert_eq!(
            redactor.redact("token-of-b token"),
            "[B redacted] [A redacted]"
        );
    }

    #[test]
    fn json_stays_json() {
        let redactor = redactor(&[("PIN", "123456")]);
        let reply = serde_json::json!({ "pin": "123456", "number": 123456, "list": ["x123456"] });
        assert_eq!(
            redactor.redact_json(reply).to_string(),
            r#"{"pin":"[PIN redacted]","number":123456,"list":["x[PIN redacted]"]}"#
        );
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let cases = [
            ("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}text", "red text"),
            ("a\tb\r\nc", "a b c"),
            ("\u{202e}evil \u{9b}2J", "\\u{202e}evil \\u{9b}2J"),
        ];
        for (text, clean) in cases {
            assert_eq!(harmless(text), clean);
        }
    }
}
