//! Whether chance made a value: nobody who expects words and names would guess how it goes on.

use super::value::is_placeholder;

/// Bits that a letter costs behind another, each from a to z, in the words of programs and documents.
const LETTERS: [&[u8; 26]; 26] = [
    b"84448759596353949343667769",
    b"36563788368267476446389969",
    b"37573763594477279553579979",
    b"46642678289567478446578869",
    b"47435569799453757334867579",
    b"46554379299467379445499969",
    b"47772754398564568346488889",
    b"28862899398667389564597969",
    b"56445559998442359543959795",
    b"36662677476678366836377987",
    b"46651667389575669635596979",
    b"38752789396387379755579949",
    b"25772889398658439746499989",
    b"48433538496686479733668979",
    b"66457669696442549345455899",
    b"38673775497478349354588969",
    b"77756869689576867658177989",
    b"37552769396655369544568959",
    b"58472774396667548742487968",
    b"38572784299677469345588759",
    b"54564569599443749333999899",
    b"37671688399667479767899899",
    b"28663783398673369346797899",
    b"46353586399667637662688679",
    b"56574768499543529534876777",
    b"39771889399778599867788865",
];
/// Bits a character. Names rarely cost more, and values by chance rarely less than half a bit more.
const LEAST: usize = 5;

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Small(usize),
    Capital(usize),
    Digit,
    /// Stands between the parts of names and paths.
    Joint,
    Other,
}

/// A value of fewer different characters was typed.
const DISTINCT: usize = 8;

pub(super) fn looks_random(value: &[u8], least: usize) -> bool {
    (least..=512).contains(&value.len())
        && distinct(value) >= DISTINCT
        && !is_placeholder(value)
        && (surprises(value) || is_hexadecimal(value))
}

/// Letters alone may be random, too.
pub(super) fn surprises(value: &[u8]) -> bool {
    let pairs = value.windows(2);
    let least = LEAST * pairs.len();
    pairs.map(|pair| cost(pair[0], pair[1])).sum::<usize>() > least
}

/// So few letters make words by chance.
fn is_hexadecimal(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    is_hex && value.len() >= 16 && (2..value.len() - 1).contains(&digits)
}

/// Bits: a word may begin with a capital, goes on with a digit seldom, and with a sign hardly ever.
fn cost(before: u8, this: u8) -> usize {
    use Class::{Capital, Digit, Joint, Other, Small};
    match (class(before), class(this)) {
        (Small(_), Capital(_)) => 9,
        (Small(a) | Capital(a), Small(b) | Capital(b)) => usize::from(LETTERS[a][b] - b'0'),
        (Digit, Small(_) | Capital(_)) => 8,
        (Joint, Small(_) | Capital(_) | Digit) | (Digit, Digit) => 4,
        (_, Joint) => 3,
        (Other, Other) => 4,
        (_, Other) => 7,
        (_, _) => 6,
    }
}

fn class(byte: u8) -> Class {
    match byte {
        b'a'..=b'z' => Class::Small(usize::from(byte - b'a')),
        b'A'..=b'Z' => Class::Capital(usize::from(byte - b'A')),
        b'0'..=b'9' => Class::Digit,
        b'_' | b'-' | b'.' | b'/' | b':' => Class::Joint,
        _ => Class::Other,
    }
}

pub(super) fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    value
        .iter()
        .for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}
