//! What is said of a file with the wrong shape, and what to type instead.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::schema::{alternatives, properties, resolve, schema};
use super::show::text;

/// How far a wrong key may be from the right one to be taken for it, from 0 to 1.
const ALIKE: f64 = 0.75;

pub(super) const INIT: &str = "agentctl init writes a first agent.toml";

/// What is said of a table that holds keys which exclude each other.
pub(super) fn only_one(table: &DeTable<'_>) -> String {
    let keys: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).collect();
    format!("only one of {} can stand here", keys.join(" and "))
}

pub(super) fn unknown(name: &str, path: &str) -> String {
    match path {
        "" => format!("unknown key \"{name}\""),
        path => format!("unknown key \"{name}\" in {}", place(path)),
    }
}

pub(super) fn advice(name: &str, path: &str, options: &[&Value]) -> Option<String> {
    match (path, name) {
        ("", "target" | "approve") => Some(format!("{name} belongs into [environments.NAME]")),
        _ => did_you_mean(name, options.iter().flat_map(|option| properties(option))),
    }
}

pub(super) fn meaning(key: &Value) -> &str {
    let texts = [key, resolve(schema(), key)].map(|schema| schema["description"].as_str());
    texts.into_iter().flatten().next().unwrap_or_default()
}

pub(super) fn did_you_mean<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    // Longer ones are not typing errors, and comparing them takes the square of their length.
    if name.len() > 64 {
        return None;
    }
    let scored = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let (score, best) = scored.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    (score >= ALIKE).then(|| format!("did you mean \"{best}\"?"))
}

/// How a message names a path: `[run]`, `run.port`.
pub(super) fn place(path: &str) -> String {
    let plain = path.replace(".*", "");
    match plain.contains('.') {
        true => plain,
        false => format!("[{plain}]"),
    }
}

pub(super) fn described(wanted: &Value) -> &'static str {
    match wanted["type"].as_str() {
        Some("string") if wanted["format"] == "period" => "a duration like \"30s\"",
        Some("string") => "a text in quotes",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        _ => "a table",
    }
}

pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What the user should have typed, where the value tells.
pub(super) fn retype(value: &DeValue<'_>, wanted: &Value, path: &str) -> Option<String> {
    match (value, wanted["type"].as_str()) {
        (DeValue::Integer(number), Some("string")) if wanted["format"] == "period" => {
            Some(format!("write \"{}s\"", number.as_str()))
        }
        (DeValue::Integer(number), Some("string")) => {
            Some(format!("write \"{}\"", number.as_str()))
        }
        (DeValue::String(text), Some("integer" | "number")) => bare_number(text),
        (DeValue::Table(_), Some("array")) if holds_tables(wanted) => {
            Some(format!("write [[{path}]]"))
        }
        (DeValue::String(words), Some("array")) if words.len() < 80 => {
            let words: Vec<String> = words.split_whitespace().map(text).collect();
            Some(format!("write [{}]", words.join(", ")))
        }
        _ => None,
    }
}

fn bare_number(text: &str) -> Option<String> {
    let number = text.trim_end_matches([' ', '%']);
    number.parse::<f64>().ok()?;
    Some(format!("write {number} without quotes"))
}

fn holds_tables(list: &Value) -> bool {
    let items = alternatives(resolve(schema(), &list["items"]));
    items.first().is_some_and(|item| item["type"] == "object")
}
