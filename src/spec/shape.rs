//! Whether a file has the shape of the schema: keys, types, ranges and formats. It reports all it
//! finds, each with its place; serde would stop at the first and cannot say "did you mean".

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::origin::join;
use super::problem::Problem;
use super::schema::{alternatives, properties, resolve, schema};
use super::source::Source;
use super::wording::{
    INIT, advice, described, did_you_mean, found, meaning, only_one, place, retype, unknown,
};
use super::{format, later};

pub(super) struct Shape<'a> {
    source: &'a Source<'a>,
    /// An overlay may leave out what the base has.
    complete: bool,
    problems: Vec<Problem>,
}

/// What is wrong with the shape of the merged file.
pub(super) fn whole(table: &DeTable<'_>, source: &Source<'_>) -> Vec<Problem> {
    examine(table, schema(), source, true)
}

/// What is wrong with the file as it is written, before anything is laid over anything.
pub(super) fn parts(table: &DeTable<'_>, source: &Source<'_>) -> Vec<Problem> {
    examine(table, schema(), source, false)
}

fn examine(
    table: &DeTable<'_>,
    schema: &Value,
    source: &Source<'_>,
    complete: bool,
) -> Vec<Problem> {
    let mut shape = Shape {
        source,
        complete,
        problems: Vec::new(),
    };
    shape.table(table, 0..0, schema, "");
    shape.problems
}

impl Shape<'_> {
    /// `path` is where `value` stands in the schema: `*` for any name and any place in a list.
    fn value(&mut self, value: &Spanned<DeValue<'_>>, wanted: &Value, path: &str) {
        let wanted = resolve(schema(), wanted);
        let chosen = choose(wanted, value.get_ref());
        let span = value.span();
        if !accepts(chosen, value.get_ref()) {
            return self.mismatch(value, wanted, path);
        }
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, span, wanted, path),
            DeValue::Array(items) => self.list(items, span, chosen, path),
            DeValue::String(text) => self.text(text, span, chosen, path),
            DeValue::Integer(number) => match whole_number(number) {
                Some(number) => self.range(number as f64, span, chosen, path),
                None => self.refuse(span, "the number is too large", None),
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => self.range(number, span, chosen, path),
                _ => self.refuse(span, "the number must be finite", None),
            },
            DeValue::Datetime(_) => {
                let hint = "put it in quotes to make it a text".to_owned();
                self.refuse(span, "dates and times have no meaning here", Some(hint));
            }
            DeValue::Boolean(_) => {}
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, wanted: &Value, path: &str) {
        let chosen = choose_for_table(wanted, table);
        let mut strangers = 0;
        for (key, value) in table {
            match property(chosen, key.get_ref()) {
                Some((name, below)) => {
                    self.name(key, chosen);
                    self.value(value, below, &pattern(path, name));
                }
                None => {
                    strangers += 1;
                    self.stranger(key, table, wanted, path);
                }
            }
        }
        // A key that is spelt wrong would be reported a second time, as missing.
        if self.complete && (strangers == 0 || path.is_empty()) {
            self.missing(table, span, chosen, path);
        }
    }

    /// The name of an entry whose names are free: a variable, a label.
    fn name(&mut self, key: &Spanned<DeString<'_>>, table: &Value) {
        if let Some(format) = table["propertyNames"]["format"].as_str() {
            self.format(format, key.get_ref(), key.span());
        }
    }

    fn stranger(
        &mut self,
        key: &Spanned<DeString<'_>>,
        table: &DeTable<'_>,
        wanted: &Value,
        path: &str,
    ) {
        let name: &str = key.get_ref();
        let options = alternatives(wanted);
        let mut known = options.iter().flat_map(|option| properties(option));
        let (message, hint) = match later::key(&pattern(path, name)) {
            Some(message) => (message, None),
            None if known.any(|known| known == name) => (only_one(table), None),
            None => (unknown(name, path), advice(name, path, &options)),
        };
        self.refuse(key.span(), message, hint);
    }

    fn missing(&mut self, table: &DeTable<'_>, span: Range<usize>, wanted: &Value, path: &str) {
        let required = wanted["required"].as_array().into_iter().flatten();
        let missing = required
            .filter_map(Value::as_str)
            .filter(|name| !table.contains_key(*name));
        for name in missing {
            let (message, hint) = match path {
                "" => (format!("[{name}] is missing"), INIT.to_owned()),
                path => (
                    format!("\"{name}\" is missing in {}", place(path)),
                    format!("{name}: {}", meaning(&wanted["properties"][name])),
                ),
            };
            self.refuse(span.clone(), message, Some(hint));
        }
    }

    fn list(
        &mut self,
        items: &[Spanned<DeValue<'_>>],
        span: Range<usize>,
        wanted: &Value,
        path: &str,
    ) {
        let least = wanted["minItems"].as_u64().unwrap_or_default();
        if (items.len() as u64) < least {
            self.refuse(span, format!("{path} must not be empty"), None);
        }
        for item in items {
            self.value(item, &wanted["items"], &pattern(path, "*"));
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>, wanted: &Value, path: &str) {
        if let Some(format) = wanted["format"].as_str() {
            self.format(format, text, span.clone());
        }
        if wanted["minLength"].as_u64() > Some(text.len() as u64) {
            self.refuse(
                span.clone(),
                format!("{} must not be empty", place(path)),
                None,
            );
        }
        self.choice(text, span, wanted, path);
    }

    /// One of a few words.
    fn choice(&mut self, text: &str, span: Range<usize>, wanted: &Value, path: &str) {
        let Some(words) = wanted["enum"].as_array() else {
            return;
        };
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        if words.contains(&text) {
            return;
        }
        if let Some(message) = later::value(path, text) {
            return self.refuse(span, message, None);
        }
        let message = format!("\"{text}\" is not one of {}", words.join(", "));
        self.refuse(span, message, did_you_mean(text, words.into_iter()));
    }

    fn format(&mut self, format: &str, text: &str, span: Range<usize>) {
        if let Err(message) = format::check(format, text) {
            self.refuse(span, message, format::advice(format, text));
        }
    }

    fn range(&mut self, number: f64, span: Range<usize>, wanted: &Value, path: &str) {
        let (least, most) = (wanted["minimum"].as_f64(), wanted["maximum"].as_f64());
        let path = place(path);
        let ends = [&wanted["exclusiveMinimum"], &wanted["exclusiveMaximum"]];
        if let [Some(below), Some(above)] = ends.map(Value::as_f64)
            && (number <= below || number >= above)
        {
            let message = format!("{path} must be above {below} and below {above}");
            return self.refuse(span, message, None);
        }
        let message = match (least, most) {
            (Some(least), Some(most)) => format!("{path} must be from {least} to {most}"),
            (Some(least), None) => format!("{path} must be at least {least}"),
            _ => return,
        };
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            self.refuse(span, message, None);
        }
    }

    fn mismatch(&mut self, value: &Spanned<DeValue<'_>>, wanted: &Value, path: &str) {
        let types: Vec<&str> = alternatives(wanted).into_iter().map(described).collect();
        let found = found(value.get_ref());
        let message = format!(
            "{} must be {}, not {found}",
            place(path),
            types.join(" or ")
        );
        self.refuse(value.span(), message, retype(value.get_ref(), wanted, path));
    }

    fn refuse(&mut self, span: Range<usize>, message: impl AsRef<str>, hint: Option<String>) {
        self.problems
            .push(self.source.problem(span, message).hint(hint));
    }
}

fn whole_number(number: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The alternative that `value` was meant for, as far as its type tells.
fn choose<'s>(wanted: &'s Value, value: &DeValue<'_>) -> &'s Value {
    let options = alternatives(wanted);
    let fitting = options.into_iter().find(|option| accepts(option, value));
    fitting.unwrap_or(wanted)
}

/// The alternative with the most of the table's keys, the first of equals.
fn choose_for_table<'s>(wanted: &'s Value, table: &DeTable<'_>) -> &'s Value {
    let known = |option: &Value| {
        table
            .keys()
            .filter(|key| property(option, key.get_ref()).is_some())
            .count()
    };
    let options = alternatives(wanted).into_iter().rev();
    options.max_by_key(|option| known(option)).unwrap_or(wanted)
}

fn accepts(wanted: &Value, value: &DeValue<'_>) -> bool {
    let is_choice = wanted["oneOf"].is_array() || wanted["anyOf"].is_array();
    match wanted["type"].as_str() {
        None => !is_choice,
        Some("string") => value.is_str(),
        Some("integer") => value.is_integer(),
        Some("number") => value.is_integer() || value.is_float(),
        Some("boolean") => value.is_bool(),
        Some("array") => value.is_array(),
        Some("object") => value.is_table(),
        Some(_) => false,
    }
}

/// The schema of the key `name` of a table, and what a path calls it; free names are all `*`.
fn property<'s, 'n>(table: &'s Value, name: &'n str) -> Option<(&'n str, &'s Value)> {
    match (&table["properties"][name], &table["additionalProperties"]) {
        (Value::Null, Value::Bool(false)) => None,
        (Value::Null, others) => Some(("*", others)),
        (own, _) => Some((name, own)),
    }
}

/// An environment may hold what the root does, under the same paths.
fn pattern(path: &str, name: &str) -> String {
    match (path, name) {
        ("environments", "*") => String::new(),
        (path, "*") => format!("{path}.*"),
        (path, name) => join(path, name),
    }
}
