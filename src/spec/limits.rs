//! What no honest agent.toml needs, refused before it costs memory, time or stack.

use toml_parser::lexer::{Token, TokenKind};

use super::problem::Problem;
use super::source::Source;

/// In bytes.
pub(super) const SIZE: usize = 1024 * 1024;

/// Tables, lists and parts of a key inside one another: the parser and serde go down by recursion.
const DEPTH: usize = 32;

/// Words, signs and the spaces between: a megabyte may hold a prompt, not half a million numbers.
const TOKENS: usize = 20_000;

pub(super) fn text<'b>(bytes: &'b [u8], file: &str) -> Result<&'b str, Problem> {
    size(bytes, file)?;
    std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to(), file))
}

pub(super) fn size(bytes: &[u8], file: &str) -> Result<(), Problem> {
    match bytes.len() {
        ..=SIZE => Ok(()),
        length => Err(Problem::whole(
            file,
            format!("{file} has {length} bytes; agentctl reads at most {SIZE} (1 MiB)"),
        )),
    }
}

fn not_text(bytes: &[u8], at: usize, file: &str) -> Problem {
    let good = String::from_utf8_lossy(&bytes[..at]);
    let byte = bytes.get(at).copied().unwrap_or_default();
    let message = format!("not UTF-8: byte 0x{byte:02x} at offset {at}");
    Source::new(file, &good)
        .problem(at..at, message)
        .hint(Some("save the file as UTF-8".to_owned()))
}

/// Refuses what nests too deep or holds too much.
pub(super) fn structure(source: &Source<'_>) -> Result<(), Problem> {
    let mut outside = Vec::new();
    let mut depth = 0;
    for (count, token) in toml_parser::Source::new(source.text).lex().enumerate() {
        depth = next_depth(&token, depth, &mut outside);
        let message = match () {
            () if depth > DEPTH => format!("nested deeper than {DEPTH} levels"),
            () if count > TOKENS => format!("more than {TOKENS} words and signs"),
            () => continue,
        };
        return Err(source.problem(token.span().start()..token.span().end(), message));
    }
    Ok(())
}

/// Dots count until their value ends, brackets until they close.
fn next_depth(token: &Token, depth: usize, outside: &mut Vec<usize>) -> usize {
    match token.kind() {
        TokenKind::Dot => depth + 1,
        TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => {
            outside.push(depth);
            depth + 1
        }
        TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
            outside.pop().unwrap_or_default()
        }
        TokenKind::Comma | TokenKind::Newline => outside.last().map_or(0, |depth| depth + 1),
        _ => depth,
    }
}
