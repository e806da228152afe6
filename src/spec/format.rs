//! What a text must look like, by the `format` that the schema names. One line per format, so that
//! a key gets its check, its caret and its line in the reference by naming one.

use super::{ConversationKey, Period, Quantity, Says, Template, names, template::is_variable};

/// Why `text` does not have `format`; formats that only describe are never broken.
pub(super) fn check(format: &str, text: &str) -> Result<(), String> {
    match format {
        "period" => Period::parse(text).map(drop),
        "quantity" => Quantity::parse(text).map(drop),
        "template" => Template::parse(text).map(drop),
        "conversation-key" => ConversationKey::try_from(text.to_owned()).map(drop),
        "says" => Says::try_from(text.to_owned()).map(drop),
        "ip" => text
            .parse::<std::net::IpAddr>()
            .map(drop)
            .map_err(|_| format!("\"{text}\" is not an IP address like \"127.0.0.1\" or \"::\"")),
        "json-path" => serde_json_path::JsonPath::parse(text)
            .map(drop)
            .map_err(|error| format!("\"{text}\" is not a JSONPath: {error}")),
        "regex" => regex_lite::Regex::new(text)
            .map(drop)
            .map_err(|error| format!("\"{text}\" is not a regular expression: {error}")),
        "label" => hold(is_label(text), text, LABEL),
        "variable" => hold(is_variable(text), text, VARIABLE),
        "own-variable" => own_variable(text),
        "own-label" => own_label(text),
        "mark" => hold(text.is_empty() || is_mark(text), text, MARK),
        "token" => hold(
            is_token(text),
            text,
            "one word of letters, digits and -_.!#$%&'*+^`|~",
        ),
        "header" => hold(!text.chars().any(char::is_control), text, "a single line"),
        "url-path" => hold(
            is_url_path(text),
            text,
            "a path that begins with / and has no spaces",
        ),
        "path" => hold(
            !text.contains('\0'),
            text,
            "a path: it holds a NUL character",
        ),
        "beside" => beside(text),
        _ => names::check(format, text),
    }
}

const LABEL: &str = "1 to 40 of a-z, 0-9 and -, with a letter first and no - at the end";
const VARIABLE: &str = "the name of a variable: letters, digits and _, no digit first";
const MARK: &str = "1 to 63 letters, digits, - _ and ., with a letter or digit at both ends";

fn hold(good: bool, text: &str, wanted: &str) -> Result<(), String> {
    match good {
        true => Ok(()),
        false => Err(format!("\"{text}\" is not {wanted}")),
    }
}

fn is_label(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // A Service of Kubernetes takes no digit first.
    text.len() <= 40
        && text.chars().all(inside)
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
}

fn is_mark(text: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && end(text.chars().next())
        && end(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn own_label(text: &str) -> Result<(), String> {
    names::check("qualified-name", text)?;
    let (prefix, _) = text.split_once('/').unwrap_or_default();
    match matches!(prefix, "app.kubernetes.io" | "agentctl.dev") {
        true => Err(format!(
            "{text} belongs to agentctl, which finds objects by it"
        )),
        false => Ok(()),
    }
}

/// A token of HTTP: methods, names of headers and cookies.
pub(super) fn is_token(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_.!#$%&'*+^`|~".contains(c);
    !text.is_empty() && text.chars().all(inside)
}

fn is_url_path(text: &str) -> bool {
    text.starts_with('/') && text.chars().all(|c| c.is_ascii_graphic() && c != '#')
}

fn own_variable(text: &str) -> Result<(), String> {
    hold(is_variable(text), text, VARIABLE)?;
    let reserved = text == "PORT" || text.starts_with("AGENT_") || text.starts_with("AGENTCTL_");
    match reserved {
        true => Err(format!(
            "{text} belongs to agentctl, which sets it for the agent"
        )),
        false => Ok(()),
    }
}

fn beside(text: &str) -> Result<(), String> {
    let path = std::path::Path::new(text);
    let up = path
        .components()
        .any(|part| part == std::path::Component::ParentDir);
    match () {
        () if text.is_empty() => Err("a path must not be empty".to_owned()),
        () if text.contains('\0') => Err("a path cannot hold a NUL character".to_owned()),
        () if path.is_absolute() => Err(format!("\"{text}\" must be relative to agent.toml")),
        () if up => Err(format!(
            "\"{text}\" must stay beside agent.toml, without .."
        )),
        () => Ok(()),
    }
}

/// What to type instead, where that can be guessed.
pub(super) fn advice(format: &str, text: &str) -> Option<String> {
    match format {
        "period" if is_number(text) => {
            Some(format!("give a unit, like \"{text}s\" or \"{text}m\""))
        }
        "label" => Some(format!("for example \"{}\"", to_label(text)?)),
        "url-path" => Some(format!("write \"{}\"", to_url_path(text)?)),
        "tag" | "tag-pattern" => Some(format!("write \"{}\"", names::to_tag(format, text)?)),
        "beside" if leads_out(text) => Some(MOVE.to_owned()),
        _ => None,
    }
}

const MOVE: &str =
    "\".\" is the folder of agent.toml: copy what is needed into it, or move agent.toml up";

fn leads_out(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

/// Of a whole address its path.
fn to_url_path(text: &str) -> Option<String> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => format!("/{text}"),
    };
    is_url_path(&path).then_some(path)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// The nearest label, or `None` where nothing of `text` could be one.
pub(super) fn to_label(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let from_letter = lower.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let words = from_letter.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let joined: String = words.join("-").chars().take(40).collect();
    let label = joined.trim_end_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}
