//! A line of text whose parts have a meaning; colour and glyphs are chosen when it is painted.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Effects, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Good,
    Wait,
    Bad,
    /// Secondary.
    Dim,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().effects(Effects::BOLD),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Wait => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Dim => Style::new().effects(Effects::DIMMED),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line(Vec<(Tone, String)>);

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::default().plain(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::default().plain(text)
    }
}

impl Line {
    pub(super) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self::default().add(tone, text)
    }

    pub(super) fn add(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }

    pub(super) fn plain(self, text: impl Into<String>) -> Self {
        self.add(Tone::Plain, text)
    }

    pub(super) fn dim(self, text: impl Into<String>) -> Self {
        self.add(Tone::Dim, text)
    }

    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn indent(self, columns: usize) -> Self {
        Self::from(" ".repeat(columns)).then(self)
    }

    /// In terminal columns.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.width() == 0
    }

    pub(super) fn map(self, mut change: impl FnMut(&str) -> String) -> Self {
        Self(
            self.0
                .into_iter()
                .map(|(tone, text)| (tone, change(&text)))
                .collect(),
        )
    }

    /// At most this many columns; what was cut ends in `…`.
    pub(super) fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(1);
        let mut cut = self.map(|text| take(text, &mut left));
        if columns > 0 {
            cut = cut.plain("…");
        }
        cut
    }

    /// Every glyph of this room has an ASCII one of the same width; foreign text keeps its length.
    pub(super) fn ascii(self) -> Self {
        self.map(|text| text.chars().map(ascii).collect())
    }

    pub(super) fn paint(&self, color: bool) -> String {
        let mut painted = String::new();
        for (tone, text) in self.0.iter().filter(|(_, text)| !text.is_empty()) {
            let style = if color { tone.style() } else { Style::new() };
            // Writing to a string cannot fail.
            let _ = write!(painted, "{style}{text}{style:#}");
        }
        painted.truncate(painted.trim_end_matches(' ').len());
        painted
    }
}

/// The part that fits; `left` says how much more would.
fn take(text: &str, left: &mut usize) -> String {
    let mut taken = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if width > *left {
            *left = 0;
            break;
        }
        *left -= width;
        taken.push(c);
    }
    taken
}

fn ascii(c: char) -> char {
    match c {
        c if c.is_ascii() => c,
        '●' => '*',
        '◐' => 'o',
        '○' => '.',
        '└' => '`',
        '✓' => '+',
        '✗' => 'x',
        '→' => '>',
        '━' => '=',
        '╌' | '—' => '-',
        '│' => '|',
        '…' => '~',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_a_column() {
        let line = || Line::from("● r12 ").add(Tone::Good, "日本語 ready");
        let cases = [
            (40, "● r12 日本語 ready"),
            (11, "● r12 日本…"),
            (10, "● r12 日…"),
            (1, "…"),
            (0, ""),
        ];
        for (columns, cut) in cases {
            let painted = line().cut(columns).paint(false);
            assert_eq!(painted, cut, "at {columns}");
            assert!(painted.width() <= columns);
        }
    }

    #[test]
    fn tones_are_colours_only_where_wanted() {
        let line = Line::from("is ").add(Tone::Good, "live").dim("  ");
        assert_eq!(line.paint(false), "is live");
        assert_eq!(
            line.paint(true),
            "is \u{1b}[32mlive\u{1b}[0m\u{1b}[2m  \u{1b}[0m"
        );
    }

    #[test]
    fn glyphs_keep_their_width_in_ascii() {
        assert_eq!(
            Line::from("● ◐ └ → ━╌ ✓ é").ascii().paint(false),
            "* o ` > =- + ?"
        );
    }
}
