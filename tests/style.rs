//! Nothing grows beyond what can be read at once, and nothing is left half done.

use crate::source::{self, Source};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

#[test]
fn files_are_short() {
    let long: Vec<_> = source::all()
        .iter()
        .filter(|source| !source.is_test())
        .map(|source| (source.lines().count(), source.path.clone()))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn functions_are_short() {
    let all = source::all();
    let long: Vec<_> = all
        .iter()
        .flat_map(|source| functions(source).map(move |found| (found, &source.path)))
        .filter(|((lines, _), _)| *lines > LONGEST_FUNCTION)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// How many lines each has, and its first: rustfmt ends one with a brace below its `fn`.
fn functions(source: &Source) -> impl Iterator<Item = (usize, String)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let starts = (0..lines.len()).filter(|index| is_function(lines[*index]));
    let found: Vec<_> = starts
        .map(|start| {
            let depth = lines[start].len() - lines[start].trim_start().len();
            let end = format!("{}}}", " ".repeat(depth));
            let length = lines[start..].iter().position(|line| *line == end);
            (length.unwrap_or(0) + 1, lines[start].trim().to_owned())
        })
        .collect();
    found.into_iter()
}

fn is_function(line: &str) -> bool {
    let code = line.trim_start();
    let before = code.split("fn ").next().unwrap_or_default();
    let words = ["pub(crate)", "pub(super)", "pub", "async", "const"];
    let is_start = before
        .split_whitespace()
        .all(|word| words.contains(&word) || word.starts_with("pub(in"));
    code.contains("fn ") && is_start && !code.ends_with(';') && !code.ends_with('}')
}

#[test]
fn nothing_is_half_done() {
    let marks = ["todo!", "unimplemented!", "FIXME", "TODO", "XXX"];
    let all = source::all();
    let left: Vec<_> = all
        .iter()
        .flat_map(|source| source.text.lines().map(move |line| (&source.path, line)))
        .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark)))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
}
