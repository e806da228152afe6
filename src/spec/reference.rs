//! `docs/reference.md`: every key of agent.toml, from the schema.

use serde_json::Value;

use super::schema::{alternatives, definition, resolve, schema};

const HEAD: &str = "\
# agent.toml, key by key

Made from the types that read the file; a test keeps it true. `agentctl schema` prints the
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
    let (header, free, body) = match (&section["items"], &section["additionalProperties"]) {
        (items @ Value::Object(_), _) => (format!("[[{name}]]"), "", items),
        (_, entry @ Value::Object(_)) => (format!("[{name}]"), free_names(name), entry),
        (_, _) => (format!("[{name}]"), "", section),
    };
    let (about, rows) = (description(section), rows(body, ""));
    format!("\n## {header}\n\n{about}\n{free}\n{TABLE}{rows}")
}

const TABLE: &str = "| key | type | default | meaning |\n|---|---|---|---|\n";

fn free_names(section: &str) -> &'static str {
    match section {
        "environments" => "\nEach is a table `[environments.NAME]`:\n",
        _ => "\nEach entry is `NAME = { KEY = … }` with one of these keys:\n",
    }
}

fn rows(holder: &Value, prefix: &str) -> String {
    let tables = alternatives(resolve(schema(), holder));
    let alone = tables.len() == 1;
    let keys = tables
        .iter()
        .flat_map(|table| properties(table).map(move |key| (table, key)));
    // An environment repeats every section; only its own keys are worth rows.
    let own = |name: &str| definition(holder) != Some("Environment") || OWN.contains(&name);
    keys.filter(|(_, (name, _))| own(name))
        .map(|(table, (name, key))| {
            row(
                &format!("{prefix}{name}"),
                key,
                need(table, name, alone),
                table,
            )
        })
        .collect()
}

/// The keys of an environment that are no sections.
const OWN: [&str; 2] = ["target", "approve"];

/// Whether a key has to be there, in a word.
fn need(table: &Value, name: &str, alone: bool) -> &'static str {
    let mut required = table["required"].as_array().into_iter().flatten();
    match (required.any(|required| required == name), alone) {
        (true, true) => "required",
        (true, false) => "one of these",
        (false, _) => "",
    }
}

/// A key's row, and the rows of what lies below it.
fn row(path: &str, key: &Value, need: &str, table: &Value) -> String {
    let whole = resolve(schema(), key);
    let default = match &key["default"] {
        Value::Null | Value::Object(_) => need.to_owned(),
        default => format!("`{default}`"),
    };
    let below = match &whole["items"] {
        Value::Null => rows(whole, &format!("{path}.")),
        items => rows(items, &format!("{path}[].")),
    };
    let about = match description(key) {
        none if none.is_empty() => description(table),
        about => about,
    };
    format!(
        "| `{path}` | {} | {default} | {about} |\n{below}",
        kind(whole)
    )
}

/// On one line; a key without a text of its own has that of its type.
fn description(schema_of: &Value) -> String {
    let whole = resolve(schema(), schema_of);
    let item = resolve(schema(), &whole["items"]);
    let texts = [schema_of, whole, item].map(|schema| schema["description"].as_str());
    let words = texts.into_iter().flatten().next().unwrap_or_default();
    words
        .split_whitespace()
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
    if let [first, rest @ ..] = alternatives(whole).as_slice()
        && !rest.is_empty()
    {
        let others: Vec<String> = rest.iter().map(|other| kind(other)).collect();
        return format!("{} or {}", kind(first), others.join(" or "));
    }
    match (whole["type"].as_str(), whole["format"].as_str()) {
        (Some("array"), _) => list(resolve(schema(), &whole["items"])),
        (Some("object"), _) => "table".to_owned(),
        (Some("boolean"), _) => "true or false".to_owned(),
        (Some("string"), Some("period")) => "duration".to_owned(),
        (Some("string"), _) => "text".to_owned(),
        (Some("integer"), _) => format!("whole number{}", range(whole)),
        (Some("number"), _) => format!("number{}", range(whole)),
        _ => "any".to_owned(),
    }
}

fn list(item: &Value) -> String {
    match item["type"].as_str() {
        Some("string") => "list of texts".to_owned(),
        _ => "list of tables".to_owned(),
    }
}

fn range(schema: &Value) -> String {
    let ends = [&schema["exclusiveMinimum"], &schema["exclusiveMaximum"]];
    if let [Value::Number(below), Value::Number(above)] = ends {
        return format!(", above {below} and below {above}");
    }
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, _) => String::new(),
        (least, Value::Null) => format!(", at least {least}"),
        (least, most) => format!(", {least} to {most}"),
    }
}
