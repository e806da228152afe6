//! From lines to instructions: continuations, comments, heredocs and the escape directive.

use super::Instruction;

/// A physical line without its end, and where it begins.
#[derive(Clone, Copy)]
struct Line<'t> {
    number: usize,
    start: usize,
    text: &'t str,
}

/// One instruction's lines, joined, with the place of each byte.
#[derive(Default)]
struct Joined {
    text: String,
    origin: Vec<usize>,
}

struct Heredoc {
    name: String,
    /// `<<-`: tabs before the lines do not count.
    strips_tabs: bool,
}

pub(super) fn instructions(text: &str) -> (Vec<Instruction>, char) {
    let escape = escape(text);
    let mut lines = lines(text).peekable();
    let mut found = Vec::new();
    while let Some(first) = lines.next() {
        if is_silent(first.text) {
            continue;
        }
        let mut joined = Joined::default();
        let mut goes_on = joined.add(first, escape);
        while goes_on && let Some(next) = lines.next() {
            goes_on = is_silent(next.text) || joined.add(next, escape);
        }
        let mut one = joined.instruction(first.number);
        for heredoc in heredocs(&one) {
            let body = lines.by_ref().take_while(|line| !heredoc.ends(line.text));
            for line in body {
                one.text = one.text + "\n" + line.text;
            }
        }
        found.push(one);
    }
    (found, escape)
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let lines = text[start..].split_inclusive('\n').enumerate();
    lines.map(move |(index, whole)| {
        let line = Line {
            number: index + 1,
            start,
            text: whole.trim_end_matches(['\n', '\r']),
        };
        start += whole.len();
        line
    })
}

fn is_silent(line: &str) -> bool {
    let text = line.trim();
    text.is_empty() || text.starts_with('#')
}

/// Directives are comments before everything else, an empty line too.
fn escape(text: &str) -> char {
    let text = text.trim_start_matches('\u{feff}');
    let directives = text.lines().map_while(|line| {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim()))
    });
    let mut escapes = directives.filter(|(name, _)| name == "escape");
    match escapes.next() {
        Some((_, "`")) => '`',
        _ => '\\',
    }
}

impl Joined {
    /// Whether the next line belongs to it too.
    fn add(&mut self, line: Line, escape: char) -> bool {
        let trimmed = line.text.trim_end_matches([' ', '\t']);
        let before = trimmed.strip_suffix(escape);
        // Two of them are one that stands for itself.
        let before = before.filter(|before| !before.ends_with(escape));
        let kept = before.unwrap_or(line.text);
        self.text.push_str(kept);
        self.origin
            .extend((0..kept.len()).map(|at| line.start + at));
        before.is_some()
    }

    fn instruction(mut self, line: usize) -> Instruction {
        let start = self.text.len() - self.text.trim_start().len();
        let word = self.text[start..].find(char::is_whitespace);
        let end = word.map_or(self.text.len(), |length| start + length);
        let keyword = self.text[start..end].to_ascii_uppercase();
        let after = &self.text[end..];
        let skip = end + after.len() - after.trim_start().len();
        let text = self.text[skip..].trim_end().to_owned();
        self.origin.drain(..skip);
        self.origin.truncate(text.len());
        Instruction {
            line,
            keyword,
            text,
            origin: self.origin,
        }
    }
}

impl Heredoc {
    fn ends(&self, line: &str) -> bool {
        let line = match self.strips_tabs {
            true => line.trim_start_matches('\t'),
            false => line,
        };
        line == self.name
    }

    /// `<<EOF`, `<<-EOF`, `3<<"EOF"`, as one word.
    fn parse(word: &str) -> Option<Self> {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.strip_prefix("<<")?;
        let name = rest.strip_prefix('-').unwrap_or(rest);
        let bare = name.trim_matches(['"', '\'']);
        (!bare.is_empty() && !bare.contains('<')).then(|| Self {
            name: bare.to_owned(),
            strips_tabs: rest.starts_with('-'),
        })
    }
}

/// Only some instructions have them; in others `<<` is text.
fn heredocs(one: &Instruction) -> Vec<Heredoc> {
    let mut text = one.text.as_str();
    let mut keyword = one.keyword.as_str();
    if keyword == "ONBUILD" {
        (keyword, text) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    }
    match keyword.to_ascii_uppercase().as_str() {
        "RUN" | "COPY" | "ADD" => words(text).filter_map(Heredoc::parse).collect(),
        _ => Vec::new(),
    }
}

/// Words outside of quotes; a quote inside one keeps it whole.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    text.split(move |c: char| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        quote.is_none() && c.is_whitespace()
    })
}
