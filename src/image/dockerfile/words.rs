//! The values of arguments, put in where `$NAME`, `${NAME}`, `${NAME:-usual}` and their like stand.

use std::iter::Peekable;
use std::str::Chars;

/// `A=1 B="two words" C`: names, and values with their quotes.
pub(super) fn assignments(text: &str, escape: char) -> Vec<(String, Option<String>)> {
    let words = placed(text, escape).into_iter();
    words.map(|(_, word)| assignment(word)).collect()
}

pub(super) fn assignment(word: String) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word, None),
    }
}

/// Words, each with the byte that it begins at.
pub(super) fn placed(text: &str, escape: char) -> Vec<(usize, String)> {
    let mut words = vec![(0, String::new())];
    let mut quote = None;
    let mut letters = text.char_indices();
    while let Some((at, c)) = letters.next() {
        let last = words.len() - 1;
        match (quote, c) {
            (None, c) if c.is_whitespace() => {
                words.push((at + c.len_utf8(), String::new()));
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        words[last].1.push(c);
        if c == escape && quote != Some('\'') {
            words[last].1.extend(letters.next().map(|(_, c)| c));
        }
    }
    words.retain(|(_, word)| !word.is_empty());
    words
}

/// `word` without its quotes, and with what its variables stand for.
pub(super) fn expand(word: &str, escape: char, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut letters = word.chars().peekable();
    while let Some(c) = letters.next() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (Some('\''), c) => out.push(c),
            (_, c) if c == escape => out.extend(letters.next()),
            (_, '$') => out.push_str(&variable(&mut letters, escape, value)),
            (_, c) => out.push(c),
        }
    }
    out
}

fn variable(
    letters: &mut Peekable<Chars>,
    escape: char,
    value: &dyn Fn(&str) -> Option<String>,
) -> String {
    if letters.next_if_eq(&'{').is_none() {
        let name = name(letters);
        return match name.is_empty() {
            true => "$".to_owned(),
            false => value(&name).unwrap_or_default(),
        };
    }
    let name = name(letters);
    let rest = braced(letters);
    let set = value(&name);
    let (any, rest) = match rest.strip_prefix(':') {
        Some(rest) => (set.clone().filter(|value| !value.is_empty()), rest),
        None => (set.clone(), rest.as_str()),
    };
    let other = |text: &str| expand(text, escape, value);
    match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(usual), _) => any.unwrap_or_else(|| other(usual)),
        (_, Some(instead)) => any.map(|_| other(instead)).unwrap_or_default(),
        _ => set.unwrap_or_default(),
    }
}

fn name(letters: &mut Peekable<Chars>) -> String {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    std::iter::from_fn(|| letters.next_if(is_part)).collect()
}

/// Up to the brace that closes it; others may be inside.
fn braced(letters: &mut Peekable<Chars>) -> String {
    let mut depth = 1;
    let inside = letters.by_ref().take_while(|c| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth > 0
    });
    inside.collect()
}
