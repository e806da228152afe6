//! The text of a file and the places in it.

use std::ops::Range;

use super::problem::{Excerpt, Problem, printable};

pub(super) struct Source<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
    /// Where each line begins, in bytes: 100,000 problems must not read the file 100,000 times.
    lines: Vec<usize>,
}

impl<'t> Source<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Self { file, text, lines }
    }

    /// The line that holds this byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    pub(super) fn problem(&self, span: Range<usize>, message: impl AsRef<str>) -> Problem {
        let start = self.text.floor_char_boundary(span.start);
        let end = self.text.floor_char_boundary(span.end).max(start);
        let line = self.line(start);
        let (first, text) = self.text_of(line);
        let column = self.text[first..start.min(first + text.len())]
            .chars()
            .count();
        let marked = self.text[start..end.min(first + text.len()).max(start)]
            .chars()
            .count();
        Problem {
            file: printable(self.file),
            line,
            column: column + 1,
            message: printable(message.as_ref()),
            hint: None,
            is_of_here: false,
            excerpt: Some(Box::new(Excerpt::new(text, column, marked))),
        }
    }

    /// Where a line begins and what stands on it, without its end.
    fn text_of(&self, line: usize) -> (usize, &'t str) {
        let first = self.lines[line - 1];
        let next = self.lines.get(line).copied().unwrap_or(self.text.len());
        (first, self.text[first..next].trim_end_matches(['\n', '\r']))
    }
}
