//! Errors that say what to type next. Every room may use it; the `ui` room prints it.

use std::fmt;

/// What could not be done, and what to type next.
#[derive(Debug)]
pub(crate) struct Advice {
    what: String,
    pub(crate) hint: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl std::error::Error for Advice {}

/// An error of its own.
pub(crate) fn advice(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(wrap(what, hint))
}

/// An error of its own, with its cause in words.
pub(crate) fn because(
    what: impl Into<String>,
    cause: impl Into<String>,
    hint: impl Into<String>,
) -> anyhow::Error {
    anyhow::Error::msg(cause.into()).context(wrap(what, hint))
}

/// The same error, with what to type next.
pub(crate) fn with_hint(error: anyhow::Error, hint: impl Into<String>) -> anyhow::Error {
    let what = error.to_string();
    error.context(wrap(what, hint))
}

/// The error with what could not be done because of it, and what to type next.
pub(crate) fn with_advice(
    error: anyhow::Error,
    what: impl Into<String>,
    hint: impl Into<String>,
) -> anyhow::Error {
    error.context(wrap(what, hint))
}

/// What to type next. The outermost advice knows most of what the user wanted.
pub(crate) fn hint(error: &anyhow::Error) -> Option<&str> {
    match error.downcast_ref::<Advice>() {
        Some(advice) => Some(&advice.hint),
        None => is_full(error).then_some("make room on that disk: df -h says which one is full"),
    }
}

fn is_full(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::StorageFull)
    })
}

/// A name as it is shown: it neither steers the terminal nor begins a line of its own.
pub(crate) fn shown(name: impl AsRef<str>) -> String {
    name.as_ref().chars().map(escaped).collect()
}

/// The letter itself, unless it would steer a terminal or show others in another order.
pub(crate) fn escaped(c: char) -> String {
    let reorders = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    match c.is_control() || reorders {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    }
}

/// A name as a pattern of .dockerignore or `[[build.allow]]` that can be typed.
pub(crate) fn pattern(name: &str) -> String {
    name.replace(
        |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER,
        "?",
    )
}

/// What could not be done, and each cause that says more, once.
pub(crate) fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.iter().any(|above| above.contains(&cause)) {
            said.push(cause);
        }
    }
    said
}

/// The same in a line.
pub(crate) fn in_a_line(error: &anyhow::Error) -> String {
    causes(error).join(": ")
}

fn wrap(what: impl Into<String>, hint: impl Into<String>) -> Advice {
    Advice {
        what: what.into(),
        hint: hint.into(),
    }
}

pub(crate) trait Advise<T> {
    /// Says what could not be done because of this error, and what to type next.
    fn advise(self, what: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Advise<T> for Result<T, E> {
    fn advise(self, what: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| with_advice(error.into(), what, hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_neither_steers_the_terminal_nor_begins_a_line() {
        let name = "e\u{1b}[31mX\nY\u{202e}.key";
        assert_eq!(shown(name), "e\\u{1b}[31mX\\nY\\u{202e}.key");
        assert_eq!(pattern("e\u{1b}X\nY"), "e?X?Y");
        assert_eq!(shown("größe 1.key"), "größe 1.key");
    }

    #[test]
    fn a_full_disk_is_told_from_other_troubles() {
        let of = |kind: std::io::ErrorKind| {
            let error = anyhow::Error::new(std::io::Error::from(kind));
            hint(&error.context("could not write x")).is_some()
        };
        assert!(of(std::io::ErrorKind::StorageFull));
        assert!(!of(std::io::ErrorKind::NotFound));
    }
}
