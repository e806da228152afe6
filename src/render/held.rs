//! Values on their way past the text of a template.
//!
//! In a YAML template a value leaves only a mark, one harmless word; the value itself takes its
//! place after the text was parsed. So nothing that a value holds is ever read as YAML.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// Characters of the private use area: YAML takes them for letters, and no spec needs them here.
pub(super) const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The values of the template that is being rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(Arc<Mutex<Vec<Value>>>);

impl Held {
    /// Keeps a value, and answers with its mark.
    pub(super) fn keep(&self, value: Value) -> String {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.push(value);
        format!("{OPEN}{}{CLOSE}", values.len() - 1)
    }

    /// What was kept since the last time.
    pub(super) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `parsed` with every mark replaced by its value; inside a longer text by the value's own text.
pub(super) fn put_back(parsed: &Value, values: &[Value]) -> Value {
    match parsed {
        Value::String(text) => {
            whole(text, values).unwrap_or_else(|| Value::String(text_of(text, values)))
        }
        Value::Array(items) => items.iter().map(|item| put_back(item, values)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (text_of(key, values), put_back(value, values)))
            .collect(),
        value => value.clone(),
    }
}

/// The value of a text that is one mark and nothing else.
fn whole(text: &str, values: &[Value]) -> Option<Value> {
    let number = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    values.get(number.parse::<usize>().ok()?).cloned()
}

/// A text in which marks may stand.
pub(super) fn text_of(text: &str, values: &[Value]) -> String {
    let mut parts = text.split(OPEN);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let value = part
            .split_once(CLOSE)
            .and_then(|(number, after)| Some((values.get(number.parse::<usize>().ok()?)?, after)));
        match value {
            Some((Value::String(value), after)) => made.extend([value, after]),
            Some((value, after)) => made.extend([&value.to_string(), after]),
            // A character that a template wrote itself.
            None => made.extend([OPEN.encode_utf8(&mut [0; 3]), part]),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_come_back_whole_and_inside_texts() {
        let held = Held::default();
        let [map, text, number] =
            [json!({ "a": "b: c" }), json!("x\"\n- y"), json!(8)].map(|value| held.keep(value));
        let values = held.take();
        let parsed = json!({ "map": map, "list": [text, format!("<{text}|{number}>")], format!("k{number}"): "\u{e000}z" });
        let wanted = json!({
            "map": { "a": "b: c" }, "list": ["x\"\n- y", "<x\"\n- y|8>"], "k8": "\u{e000}z",
        });
        assert_eq!(put_back(&parsed, &values), wanted);
        assert!(held.take().is_empty());
    }
}
