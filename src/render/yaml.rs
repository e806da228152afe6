//! The one way in and out of YAML: what a template wrote is parsed, and written out again.

use serde_json::Value;

/// Every document of a text. Errors name the line. `0440` is octal, as it is for whoever reads the
/// files afterwards.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    let options = serde_yaml::options! { with_snippet: false, legacy_octal_numbers: true };
    serde_yaml::from_multiple_with_options(text, options)
}

/// A key without a value is left out: a template may write `key: {{ maybe }}`.
pub(super) fn without_nulls(mut value: Value) -> Value {
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

/// A number that would be written out as another one.
pub(super) fn too_large(value: &Value) -> Option<f64> {
    /// From here on, not every whole number can be told from the next.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().filter(|number| number.abs() >= EXACT)
        }
        Value::Array(items) => items.iter().find_map(too_large),
        Value::Object(fields) => fields.values().find_map(too_large),
        _ => None,
    }
}

/// One document, ending with a newline; read back by any version of YAML it is the same value.
pub(crate) fn write(value: &Value) -> Result<String, serde_yaml::SerializeError> {
    // Folded lines would be changed by whoever edits them; literal blocks keep a text as it is.
    let options = serde_yaml::ser_options! { folded_wrap_chars: usize::MAX };
    serde_yaml::to_string_with_options(value, options)
}

/// `value` as YAML writes it inside a line, in quotes if it is a text: nothing in it can end it.
pub(super) fn inline(value: &Value) -> String {
    let json = value.to_string();
    // JSON lets these stand as they are; YAML does not print them, or takes them for line ends.
    match json.contains(is_odd) {
        false => json,
        true => json.chars().map(escaped).collect(),
    }
}

fn is_odd(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

fn escaped(c: char) -> String {
    match is_odd(c) {
        true => format!("\\u{:04x}", u32::from(c)),
        false => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn odd_texts_come_back_as_they_were() {
        let odd = [
            "",
            " ",
            "yes",
            "on",
            "null",
            "~",
            "0o17",
            "017",
            "1e3",
            "1_000",
            "12:30:45",
            ".inf",
            "2026-01-01",
            "a: b",
            "# c",
            "- d",
            "a\nb",
            "a\n\n",
            "\n a",
            "\ttab",
            "\"",
            "'",
            "{{ x }}",
            "\u{7f}\u{85}\u{2028}\u{feff}",
            "=",
            "<<",
            "%a",
            "@a",
            "`a",
            "*a",
            "&a",
            "!a",
            "a\r\nb",
            "😀",
            "\u{0}\u{1b}",
        ];
        for text in odd {
            let value = json!({ "key": text, text: ["x", text] });
            let read = parse(&inline(&value)).unwrap();
            assert_eq!(read, std::slice::from_ref(&value), "{text:?} inline");
            let written = write(&value).unwrap();
            assert_eq!(parse(&written).unwrap(), [value], "{text:?} as\n{written}");
        }
    }

    #[test]
    fn numbers_are_what_they_are_for_a_cluster() {
        let read = |text: &str| parse(text).unwrap().remove(0);
        let modes = read("a: 0440\nb: 0o440\nc: 12\nd: 18446744073709551615\ne: 1.5\n");
        let wanted = json!({ "a": 288, "b": 288, "c": 12, "d": u64::MAX, "e": 1.5 });
        assert_eq!((&modes, too_large(&modes)), (&wanted, None));
        assert!(too_large(&read("a: [{ b: 123456789012345678901234567890 }]")).is_some());
        assert!(parse("a: .inf").is_err());
    }

    #[test]
    fn what_has_no_value_is_left_out() {
        let value = json!({ "a": null, "b": { "c": null, "d": {} }, "e": [null, 1] });
        assert_eq!(without_nulls(value), json!({ "b": { "d": {} }, "e": [1] }));
    }
}
