use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Text(String),
    /// `${NAME}`: a variable of the environment that agentctl runs in.
    Variable(String),
    /// `${secret:NAME}`: a value of `[secrets]`, put in only where the agent is started.
    Secret(String),
}

/// A string with `${VAR}` and `${secret:NAME}` in it; `$${` is a plain `${`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Template(pub(crate) Vec<Part>);

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains('\0') {
            return Err("a NUL character cannot be part of a command or a variable".to_owned());
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                plain.push_str(&rest[..at + 1]);
                plain.push('{');
                plain.remove(plain.len() - 2);
                rest = &rest[at + 2..];
                continue;
            }
            plain.push_str(&rest[..at]);
            let (inner, after) = rest[at + 2..]
                .split_once('}')
                .ok_or_else(|| format!("\"{text}\" opens ${{ and never closes it"))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(reference(inner)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The names of the secrets that stand in it, in their order.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name),
            Part::Text(_) | Part::Variable(_) => None,
        })
    }

    pub(crate) fn has_secret(&self) -> bool {
        self.secrets().next().is_some()
    }
}

fn reference(inner: &str) -> Result<Part, String> {
    let (name, part): (&str, fn(String) -> Part) = match inner.strip_prefix("secret:") {
        Some(name) => (name, Part::Secret),
        None => (inner, Part::Variable),
    };
    match is_variable(name) {
        true => Ok(part(name.to_owned())),
        false => Err(format!(
            "\"${{{inner}}}\" is not a reference like ${{NAME}} or ${{secret:NAME}}"
        )),
    }
}

/// Whether this can name an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => write!(f, "{}", text.replace("${", "$${")),
            Part::Variable(name) => write!(f, "${{{name}}}"),
            Part::Secret(name) => write!(f, "${{secret:{name}}}"),
        })
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Template {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "template",
            "description": "May hold ${VAR} and ${secret:NAME}; $${ is a plain ${.",
        })
    }
}
