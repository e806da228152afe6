//! Values as they are written down.

/// What stands for a value that somebody has to fill in, or shows what one looks like.
const PLACEHOLDERS: [&str; 17] = [
    "example",
    "changeme",
    "change-me",
    "change_me",
    "your-",
    "your_",
    "placeholder",
    "dummy",
    "replace",
    "insert",
    "sample",
    "fake",
    "not-a-",
    "redacted",
    "enter-",
    "todo",
    "...",
];
/// More blanks than this lie between no name and its value.
const BLANKS: usize = 80;

/// Words that say only what they stand for.
const WORDS: [&str; 12] = [
    "password", "passwd", "pass", "pwd", "secret", "token", "user", "test", "testing", "postgres",
    "guest", "admin",
];

pub(super) struct Written<'a> {
    pub(super) text: &'a [u8],
    pub(super) is_quoted: bool,
}

impl<'a> Written<'a> {
    /// The value behind a name: `= x`, `: "x"`, `"] = 'x'`, `: str = "x"`, `=> "x"`, `>x<`.
    pub(super) fn after(rest: &'a [u8]) -> Option<Self> {
        let rest = skip(rest, b"\\\"'`]) \t");
        let (&sign, rest) = rest.split_first()?;
        let rest = match (sign, rest.first()) {
            (b'=', Some(b'=')) | (b':', Some(b':')) => return None,
            (b'=', Some(b'>')) | (b':', Some(b'=')) => &rest[1..],
            (b'=' | b':' | b'>', _) => rest,
            _ => return None,
        };
        let value = skip(rest, b" \t");
        let is_close = value.len() == rest.len();
        let typed = if sign == b':' { typed(value) } else { None };
        let below = match typed {
            Some(value) => below(b'=', value),
            None => below(sign, value),
        };
        let value = typed.unwrap_or(value);
        let is_part = sign == b':' && is_close && below.is_none();
        let value = below.unwrap_or(value);
        match Quote::of(value) {
            Some(quote) => quote.text(),
            // `secret:name` is part of a path or of a longer name.
            None => (!is_part && !value.is_empty()).then(|| Self::bare(value)),
        }
    }

    /// What follows an option: `--password x`, `"--password", "x"`, and the next item of a list.
    pub(super) fn behind(rest: &'a [u8]) -> Option<Self> {
        let unquoted = skip(rest, b"\\\"'`");
        let value = match unquoted.strip_prefix(b",") {
            Some(rest) => skip(rest, b" \t\r\n"),
            None => item(unquoted).or(rest.strip_prefix(b" "))?,
        };
        match Quote::of(value) {
            Some(quote) => quote.text(),
            None => value.split(|byte| *byte == b']').next().map(Self::bare),
        }
    }

    /// The value of a thing that has the name: `name: X` and below it `value: x`, or `"X", "value": "x"`.
    pub(super) fn beside(rest: &'a [u8]) -> Option<Self> {
        let rest = skip(skip(rest, b"\\\"'"), b", \t\r\n");
        let rest = skip(rest, b"\\\"'");
        let rest = rest.strip_prefix(b"v").or(rest.strip_prefix(b"V"))?;
        Self::after(rest.strip_prefix(b"alue")?)
    }

    /// What is handed on with a name, and nothing else: `define('X', 'x')`.
    pub(super) fn next(rest: &'a [u8]) -> Option<Self> {
        let rest = rest.strip_prefix(b"'").or(rest.strip_prefix(b"\""))?;
        let rest = skip(rest, b" ").strip_prefix(b",")?;
        let quote = Quote::of(skip(rest, b" \t\r\n")).filter(|quote| quote.sign != b'`')?;
        let value_alone = quote.text()?;
        let behind = quote.rest.get(value_alone.text.len() + 1..)?;
        skip(behind, b" \t\r\n")
            .starts_with(b")")
            .then_some(value_alone)
    }

    fn bare(value: &'a [u8]) -> Self {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",;<}\"'`".contains(byte);
        let end = value.iter().take(512).position(ends);
        let text = unescaped(&value[..end.unwrap_or(value.len().min(512))]);
        Self {
            text: parameter(text).unwrap_or(text),
            is_quoted: false,
        }
    }

    /// Not something that a program or a template works out.
    pub(super) fn is_literal(&self) -> bool {
        let computed: &[u8] = match self.is_quoted {
            true => b"{}<>()",
            false => b"{}<>()[]$\\",
        };
        let plain = |byte: &u8| byte.is_ascii_graphic() && !computed.contains(byte);
        let is_variable =
            self.text.starts_with(b"$") || self.text.starts_with(b"%") && self.text.ends_with(b"%");
        self.text.iter().all(plain) && !is_variable
    }
}

/// How a text in quotes begins, perhaps within another one: `\"x\"`.
struct Quote<'a> {
    sign: u8,
    is_escaped: bool,
    /// Behind it.
    rest: &'a [u8],
}

impl<'a> Quote<'a> {
    fn of(value: &'a [u8]) -> Option<Self> {
        let opened = skip(value, b"\\");
        let (sign, rest) = opened.split_first()?;
        matches!(sign, b'"' | b'\'' | b'`').then_some(Self {
            sign: *sign,
            is_escaped: opened.len() < value.len(),
            rest,
        })
    }

    fn text(&self) -> Option<Written<'a>> {
        let ends = |byte: &u8| *byte == self.sign || self.is_escaped && *byte == b'\\';
        let end = self.rest.iter().take(512).position(ends)?;
        Some(Written {
            text: &self.rest[..end],
            is_quoted: true,
        })
    }
}

/// The next item of a YAML list.
fn item(rest: &[u8]) -> Option<&[u8]> {
    let line = skip(rest, b" \t\r").strip_prefix(b"\n")?;
    skip(line, b" \t").strip_prefix(b"- ")
}

/// Up to a line's end as it is written in JSON, or a quote's.
fn unescaped(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\\', text).filter(|at| {
        let next = text.get(at + 1);
        next.is_none_or(|next| matches!(next, b'n' | b'r' | b't'))
    });
    &text[..end.unwrap_or(text.len())]
}

/// `abc` of `abc&to=cde`, as a URL has it.
fn parameter(value: &[u8]) -> Option<&[u8]> {
    let is_next = |part: &[u8]| {
        let in_name = |byte: &&u8| byte.is_ascii_alphabetic() || **byte == b'_';
        let name = part.iter().take_while(in_name).count();
        name > 0 && part.get(name) == Some(&b'=')
    };
    let mut parts = value.split(|byte| *byte == b'&');
    let first = parts.next()?;
    parts.any(is_next).then_some(first)
}

/// Skips the type in `: Option<&str> = "x"`.
fn typed(value: &[u8]) -> Option<&[u8]> {
    let line = value.iter().take(48).take_while(|byte| **byte != b'\n');
    let of_type = |byte: &u8| byte.is_ascii_alphanumeric() || b"_<>&[]|?.' ".contains(byte);
    let length = line.take_while(|byte| of_type(byte)).count();
    let rest = value[length..].strip_prefix(b"=")?;
    (length > 0).then(|| skip(rest, b" \t"))
}

/// The value on the next line: in YAML further in, perhaps behind `|` or `>`; in code in quotes.
fn below(sign: u8, value: &[u8]) -> Option<&[u8]> {
    let rest = match (sign, value.first()?) {
        (b':', b'|' | b'>') => skip(&value[1..], b"-+123456789"),
        (b'=', b'(' | b'\\') => &value[1..],
        _ => value,
    };
    let line = skip(rest, b" \t\r").strip_prefix(b"\n")?;
    let value = skip(line, b" \t");
    let is_quoted = value.starts_with(b"\"") || value.starts_with(b"'") || value.starts_with(b"`");
    (value.len() < line.len() && (sign == b':' || is_quoted)).then_some(value)
}

fn skip<'a>(rest: &'a [u8], bytes: &[u8]) -> &'a [u8] {
    let skipped = rest
        .iter()
        .take(BLANKS)
        .take_while(|byte| bytes.contains(byte));
    &rest[skipped.count()..]
}

pub(super) fn is_placeholder(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    // Short words are in long keys by chance.
    let by_chance = |word: &str| value.len() >= 20 && ["dummy", "fake", "todo"].contains(&word);
    let holds =
        |word: &&str| memchr::memmem::find(&lower, word.as_bytes()).is_some() && !by_chance(word);
    let is_word = WORDS.iter().any(|word| word.as_bytes() == lower);
    is_word || PLACEHOLDERS.iter().any(holds) || is_sequence(&lower)
}

/// `xxxxxxxx`, `1234567890abcdef`: half of it and more only goes on from what is before. A few such
/// letters in a row are in keys, too.
fn is_sequence(value: &[u8]) -> bool {
    let goes_on = |pair: &&[u8]| pair[1] == pair[0] || pair[1] == pair[0].wrapping_add(1);
    let count = value.windows(2).filter(goes_on).count();
    value.len() >= 8 && count * 2 >= value.len()
}
