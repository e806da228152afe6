//! Why something could not be rendered, in the words of whoever writes agent.toml or a template.

use std::fmt;

use serde_json::Value;
use serde_yaml::UserMessageFormatter as InWords;

use super::held;

/// Why something could not be rendered.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The template that did not make what it should; `None` where none is to blame.
    template: Option<String>,
    /// From 1, where it is known.
    line: Option<usize>,
    message: String,
}

impl Failure {
    /// `context` is what the template was given.
    pub(super) fn of_template(name: &str, error: &minijinja::Error, context: &Value) -> Self {
        let source = std::error::Error::source(error);
        let cause = source.map(|cause| format!(": {cause}")).unwrap_or_default();
        let detail = error
            .detail()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        Self {
            template: Some(error.name().unwrap_or(name).to_owned()),
            line: error.line(),
            message: format!("{}{detail}{cause}{}", error.kind(), near(error, context)),
        }
    }

    /// What a template made is not YAML.
    pub(super) fn of_yaml(name: &str, made: &Made<'_>, error: &serde_yaml::Error) -> Self {
        let line = error.location().map(|location| location.line() as usize);
        let told = line.and_then(|line| made.told.lines().nth(line.saturating_sub(1)));
        let told = told
            .map(|told| format!(" of what it made: {}", cut(told.trim())))
            .unwrap_or_default();
        let message = error.render_with_formatter(&InWords);
        Self {
            line: line.and_then(|line| made.template_line(line)),
            ..Self::made_wrong(name, format!("not YAML: {message}{told}"))
        }
    }

    pub(super) fn not_an_object(name: &str, told: &str) -> Self {
        let told = cut(told.trim());
        Self::made_wrong(
            name,
            format!("it should make one YAML mapping, and made {told:?}"),
        )
    }

    pub(super) fn made_wrong(name: &str, message: String) -> Self {
        Self {
            template: Some(name.to_owned()),
            line: None,
            message,
        }
    }

    /// The template to blame, by its name.
    pub(crate) fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }

    /// What is asked for cannot be had there.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self {
            template: None,
            line: None,
            message: message.into(),
        }
    }
}

/// What a template made.
pub(super) struct Made<'a> {
    /// The template itself.
    pub(super) source: &'a str,
    /// With a mark for each value.
    pub(super) text: &'a str,
    /// With the values themselves.
    pub(super) told: String,
}

impl Made<'_> {
    /// The only line of the template that a line of what it made can come from.
    fn template_line(&self, line: usize) -> Option<usize> {
        let made = self.text.lines().nth(line.checked_sub(1)?)?.trim_start();
        let written = made.split(held::OPEN).next()?;
        let lines = self.source.lines().enumerate();
        let mut alike = lines.filter(|(_, text)| text.trim_start().starts_with(written));
        let (at, _) = alike.next().filter(|_| !written.is_empty())?;
        alike.next().is_none().then_some(at + 1)
    }
}

/// The expression, and the values that stand in it as far as they were given.
fn near(error: &minijinja::Error, context: &Value) -> String {
    let expression = || error.template_source()?.get(error.range()?);
    let Some(expression) = expression() else {
        return String::new();
    };
    let words = expression.split(|c: char| !c.is_alphanumeric() && c != '_');
    let values = words.filter_map(|word| Some((word, context.get(word)?)));
    let values: Vec<String> = values
        .map(|(word, value)| format!("{word} is {}", cut(&value.to_string())))
        .collect();
    let said = match values.is_empty() {
        true => String::new(),
        false => format!(", where {}", values.join(" and ")),
    };
    format!(", at {}{said}", cut(expression))
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    match short.len() < text.len() {
        true => short + "…",
        false => short,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(template) = &self.template {
            write!(f, "templates/{template}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Failure {}

/// A value that YAML has no form for.
impl From<serde_yaml::SerializeError> for Failure {
    fn from(error: serde_yaml::SerializeError) -> Self {
        Self::refused(error.to_string())
    }
}
