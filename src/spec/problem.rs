//! What is wrong with a file, where, and how that is shown. Nothing from the file reaches a
//! terminal unescaped.

use std::fmt;

use crate::advice::escaped;

/// As much of a line as is shown, in characters.
const WIDTH: usize = 160;

/// As much of a message as is shown, in characters: it may quote the file.
const LONGEST: usize = 400;

/// As many problems as are worth reading at once.
const MOST: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) file: String,
    /// From 1; 0 where it is about the file as a whole.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    pub(crate) message: String,
    /// What to type instead.
    pub(crate) hint: Option<String>,
    /// It is of the place where agentctl runs, not of the file.
    pub(super) is_of_here: bool,
    pub(super) excerpt: Option<Box<Excerpt>>,
}

impl Problem {
    /// About the file as a whole.
    pub(super) fn whole(file: &str, message: impl AsRef<str>) -> Self {
        Self {
            file: printable(file),
            line: 0,
            column: 0,
            message: printable(message.as_ref()),
            hint: None,
            is_of_here: false,
            excerpt: None,
        }
    }

    pub(super) fn of_here(mut self) -> Self {
        self.is_of_here = true;
        self
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.map(|hint| printable(&hint));
        self
    }

    /// Where the line itself is not to be shown.
    pub(crate) fn without_line(mut self) -> Self {
        self.excerpt = None;
        self
    }

    /// The message, the place, the line with a caret under it, and the hint; no newline at the end.
    pub(crate) fn render(&self) -> String {
        let gutter = " ".repeat(self.line.to_string().len());
        let mut text = format!("{}\n{gutter}--> {}", self.message, self.place());
        if let Some(excerpt) = &self.excerpt {
            let (line, caret) = (&excerpt.text, excerpt.caret());
            text += &format!("\n{gutter} |\n{} | {line}\n{gutter} | {caret}", self.line);
        }
        if let Some(hint) = &self.hint {
            text += &format!("\n{gutter} = hint: {hint}");
        }
        text
    }

    fn place(&self) -> String {
        match self.line {
            0 => self.file.clone(),
            line => format!("{}:{line}:{}", self.file, self.column),
        }
    }
}

/// The part of a line that is shown, and what is marked in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Excerpt {
    text: String,
    /// Characters before the caret, as shown.
    before: usize,
    /// Characters that are marked, as shown; at least one.
    marked: usize,
}

impl Excerpt {
    /// `column` and `marked` count characters of the line as it is written.
    pub(super) fn new(line: &str, column: usize, marked: usize) -> Self {
        let from = column.saturating_sub(WIDTH / 2);
        let rest = line.chars().count().saturating_sub(from);
        let shown = |from, count| -> String { line.chars().skip(from).take(count).collect() };
        let before = printable_line(&shown(from, column - from));
        let marked = printable_line(&shown(column, marked.min(WIDTH / 2)));
        let after = printable_line(&shown(column + marked.chars().count(), WIDTH / 2));
        let (head, tail) = (cut(from > 0), cut(rest > WIDTH));
        Self {
            before: head.chars().count() + before.chars().count(),
            marked: marked.chars().count().max(1),
            text: format!("{head}{before}{marked}{after}{tail}"),
        }
    }

    fn caret(&self) -> String {
        format!("{}{}", " ".repeat(self.before), "^".repeat(self.marked))
    }
}

fn cut(is_cut: bool) -> &'static str {
    match is_cut {
        true => "…",
        false => "",
    }
}

/// `text` without what would steer a terminal, and not longer than can be read.
pub(super) fn printable(text: &str) -> String {
    let long = text.chars().nth(LONGEST).is_some();
    let kept: String = text.chars().take(LONGEST).collect();
    let escaped = kept.chars().map(escaped).collect::<String>();
    escaped + cut(long)
}

fn printable_line(line: &str) -> String {
    line.replace('\t', "    ").chars().map(escaped).collect()
}

/// Everything that is wrong with a file; at least one problem, ordered by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    /// How many more there were than are worth reading.
    more: usize,
}

impl Problems {
    /// `None` where there are none.
    pub(super) fn new(mut list: Vec<Problem>) -> Option<Self> {
        list.sort();
        list.dedup();
        let more = list.len().saturating_sub(MOST);
        list.truncate(MOST);
        (!list.is_empty()).then_some(Self { list, more })
    }

    /// These, and this one at any rate.
    pub(super) fn with(problem: Problem, mut list: Vec<Problem>) -> Self {
        list.push(problem.clone());
        Self::or(list, problem)
    }

    /// These, or this one where there are none.
    pub(super) fn or(list: Vec<Problem>, problem: Problem) -> Self {
        Self::new(list).unwrap_or_else(|| problem.into())
    }

    /// The first of them, in a line.
    pub(crate) fn first(&self) -> &str {
        self.list.first().map_or("", |problem| &problem.message)
    }

    /// Whether the file itself may well be right.
    pub(crate) fn are_of_here(&self) -> bool {
        self.more == 0 && self.list.iter().all(|problem| problem.is_of_here)
    }

    #[cfg(any(fuzzing, test))]
    pub(crate) fn list(&self) -> &[Problem] {
        &self.list
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self {
            list: vec![problem],
            more: 0,
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.list.iter().map(Problem::render).collect();
        write!(f, "{}", shown.join("\n\n"))?;
        match self.more {
            0 => Ok(()),
            more => write!(f, "\n\n… and {more} more problems"),
        }
    }
}

impl std::error::Error for Problems {}
