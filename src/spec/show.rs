//! The merged file as TOML again, each value with the place it comes from. What it writes loads
//! to the same `Spec`.

use serde_json::{Map, Value};

use super::Loaded;
use super::origin::join;

/// Comments stand below one another up to this column; a longer line pushes only its own.
const COMMENTS: usize = 48;

/// What applies, as agent.toml would say it in one piece.
pub(crate) fn show(loaded: &Loaded) -> Result<String, serde_json::Error> {
    let mut page = Page {
        loaded,
        text: String::new(),
    };
    let spec = serde_json::to_value(&loaded.spec)?;
    for (name, section) in spec.as_object().into_iter().flatten() {
        page.section(section, name, name);
    }
    page.environment()?;
    Ok(page.text.trim_start().to_owned())
}

struct Page<'a> {
    loaded: &'a Loaded,
    text: String,
}

impl Page<'_> {
    /// `header` is what stands in the brackets, `path` where its values come from.
    fn section(&mut self, section: &Value, header: &str, path: &str) {
        match section {
            Value::Object(table) if !table.is_empty() => {
                self.text += &format!("\n[{header}]\n");
                self.table(table, header, path);
            }
            Value::Array(items) => self.tables(items, header, path),
            _ => {}
        }
    }

    /// A list of tables.
    fn tables(&mut self, items: &[Value], header: &str, path: &str) {
        for (at, item) in items.iter().enumerate() {
            self.text += &format!("\n[[{header}]]\n");
            if let Value::Object(table) = item {
                self.table(table, header, &format!("{path}.{at}"));
            }
        }
    }

    /// Values first: what follows a header of a table of its own would belong to that.
    fn table(&mut self, table: &Map<String, Value>, header: &str, path: &str) {
        let (lists, values): (Vec<_>, Vec<_>) =
            table.iter().partition(|(_, value)| is_tables(value));
        for (name, value) in values {
            self.value(value, &key(name), &join(path, name));
        }
        for (name, list) in lists {
            self.section(list, &join(header, name), &join(path, name));
        }
    }

    /// One line per value, however deep: each has its own origin.
    fn value(&mut self, value: &Value, name: &str, path: &str) {
        match value {
            Value::Null => {}
            Value::Object(table) if !table.is_empty() => {
                for (below, value) in table {
                    self.value(value, &join(name, below), &join(path, below));
                }
            }
            value => self.line(&format!("{name} = {}", inline(value)), path),
        }
    }

    fn line(&mut self, line: &str, path: &str) {
        let origin = self.loaded.origins.describe(path);
        self.text += &format!("{line:<COMMENTS$} # {origin}\n");
    }

    fn environment(&mut self) -> Result<(), serde_json::Error> {
        let Some(name) = &self.loaded.environment else {
            return Ok(());
        };
        self.text += &format!("\n[{}]\n", join("environments", name));
        let target = serde_json::to_value(&self.loaded.target)?;
        self.value(&target, "target", "target");
        self.value(&Value::Bool(self.loaded.approve), "approve", "approve");
        Ok(())
    }
}

/// Lists inside free settings stay on one line.
fn is_tables(value: &Value) -> bool {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    !items.is_empty() && items.iter().all(Value::is_object)
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let pairs = table
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::String(value) => text(value),
        value => value.to_string(),
    }
}

/// A text as TOML writes it. JSON's escapes are TOML's; only DEL may stand raw in JSON.
pub(super) fn text(value: &str) -> String {
    Value::from(value).to_string().replace('\u{7f}', "\\u007F")
}

/// A key as TOML writes it.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => text(name),
    }
}
