//! `docs/reference.md`: every key of agent.toml, from the schema.

use serde_json::Value;

use super::schema::{definition, resolve, schema};

const HEAD: &str = "\
# agent.toml, key by key

Made from the types that read the file; a test keeps it true. `agentctl config schema` prints the
same as JSON Schema for editors. Durations are texts like `\"30s\"`, `\"5m\"` or `\"1h 30m\"`;
percentages are numbers from 0 to 100. Unknown keys are errors.
";

/// Markdown.
pub(crate) fn reference() -> String {
    let root = schema();
    let mut text = HEAD.to_owned();
    for (name, section) in properties(root) {
        text += &part(name, section);
    }
    text
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// A section, with a row for each key below it.
fn part(name: &str, section: &Value) -> String {
    let (header, body) = match section["type"].as_str() {
        Some("array") => (format!("[[{name}]]"), &section["items"]),
        _ if section["additionalProperties"].is_object() => {
            (format!("[{name}]"), &section["additionalProperties"])
        }
        _ => (format!("[{name}]"), section),
    };
    let about = sentence(description(section));
    let free = match section["additionalProperties"].is_object() {
        true => format!("\n{}\n", free_names(name)),
        false => String::new(),
    };
    let rows = rows(body, "", is_environment(body));
    format!(
        "\n## {header}\n\n{about}\n{free}\n| key | type | default | meaning |\n|---|---|---|---|\n{rows}"
    )
}

fn free_names(section: &str) -> &'static str {
    match section {
        "environments" => "Each is a table `[environments.NAME]`:",
        _ => "Each entry is `NAME = { KEY = … }` with one of these keys:",
    }
}

/// An environment repeats every section; only its own keys are worth rows.
fn is_environment(schema: &Value) -> bool {
    definition(schema) == Some("Environment")
}

fn rows(schema_of: &Value, prefix: &str, own_only: bool) -> String {
    let table = resolve(schema(), schema_of);
    let options = table["oneOf"].as_array().or(table["anyOf"].as_array());
    let tables = options.map_or(vec![table], |options| options.iter().collect());
    let keys = tables
        .iter()
        .flat_map(|table| properties(resolve(schema(), table)).map(move |key| (*table, key)));
    let own =
        keys.filter(|(_, (name, _))| !own_only || ["target", "approve"].contains(&name.as_str()));
    own.map(|(table, (name, key))| row(table, &format!("{prefix}{name}"), name, key))
        .collect()
}

/// A key's row, and the rows of what lies below it.
fn row(table: &Value, path: &str, name: &str, key: &Value) -> String {
    let whole = resolve(schema(), key);
    let required = table["required"]
        .as_array()
        .is_some_and(|names| names.iter().any(|n| n == name));
    let default = match (&key["default"], required) {
        (Value::Null, true) => "required".to_owned(),
        (Value::Null, false) => String::new(),
        (Value::Object(_), _) => String::new(),
        (default, _) => format!("`{}`", default.to_string().replace('|', "\\|")),
    };
    let below = match whole["type"].as_str() {
        Some("array") => rows(&whole["items"], &format!("{path}[]."), false),
        _ => rows(whole, &format!("{path}."), false),
    };
    let about = sentence(description(key));
    format!(
        "| `{path}` | {} | {default} | {about} |\n{below}",
        kind(whole)
    )
}

fn description(schema_of: &Value) -> &str {
    let whole = resolve(schema(), schema_of);
    let item = resolve(schema(), &whole["items"]);
    let texts = [
        &schema_of["description"],
        &whole["description"],
        &item["description"],
    ];
    texts
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_default()
}

fn sentence(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

/// The type and the range of a value, in words.
fn kind(schema_of: &Value) -> String {
    let whole = resolve(schema(), schema_of);
    if let Some(words) = whole["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if let Some(options) = whole["anyOf"].as_array().or(whole["oneOf"].as_array()) {
        let mut kinds: Vec<String> = options.iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    match (whole["type"].as_str(), whole["format"].as_str()) {
        (Some("array"), _) => format!("list of {}", plural(&kind(&whole["items"]))),
        (Some("object"), _) => "table".to_owned(),
        (Some("boolean"), _) => "true or false".to_owned(),
        (Some("string"), Some("period")) => "duration".to_owned(),
        (Some("string"), _) => "text".to_owned(),
        (Some("integer"), _) => format!("whole number{}", range(whole)),
        (Some("number"), _) => format!("number{}", range(whole)),
        _ => "any".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    format!("{kind}s")
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, _) => String::new(),
        (least, Value::Null) => format!(", at least {least}"),
        (least, most) => format!(", {least} to {most}"),
    }
}
