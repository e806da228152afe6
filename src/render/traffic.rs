//! What a user types to mark requests.

use std::str::FromStr;

/// What marks a request as one for the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Header { name: String, value: String },
    Cookie { name: String, value: String },
}

impl FromStr for Match {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
            .ok_or_else(|| format!("\"{text}\" is not header:NAME=VALUE or cookie:NAME=VALUE"))
    }
}

fn parse(text: &str) -> Option<Match> {
    let (place, rest) = text.split_once(':')?;
    let (name, value) = rest.split_once('=')?;
    let printable = value.chars().all(|c| c.is_ascii_graphic());
    let token = |c: char| c.is_ascii_alphanumeric() || "-_.!#$%&'*+^`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) || value.is_empty() || !printable {
        return None;
    }
    let (name, value) = (name.to_owned(), value.to_owned());
    match place {
        "header" => Some(Match::Header { name, value }),
        "cookie" => Some(Match::Cookie { name, value }),
        _ => None,
    }
}
