use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;
use serde_json::Value;

use super::embedded::EMBEDDED;
use super::failure::{Failure, Made};
use super::held::{Held, put_back, text_of};
use super::yaml;

/// Steps that one template may take: a loop that never ends is an error.
const FUEL: u64 = 2_000_000;

const YAML: &str = "yaml";
const DOCKERFILE: &str = "dockerfile";

/// The templates that come with agentctl, and a user's own instead of them.
pub(crate) struct Templates {
    environment: Environment<'static>,
    held: Held,
    /// Texts with marks, by what they say.
    parsed: RefCell<HashMap<String, Rc<Value>>>,
}

impl Templates {
    /// `own` are a user's templates, by the names of the ones that they stand for.
    pub(crate) fn new(own: BTreeMap<String, String>) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(true);
        environment.set_syntax(syntax());
        environment.set_auto_escape_callback(escape_of);
        let held = Held::default();
        let kept = held.clone();
        environment.set_formatter(move |out, state, value| format(out, state, value, &kept));
        environment.add_filter("json", json);
        environment.add_filter("quoted", |value: &str| {
            double_quoted(value).map(minijinja::Value::from_safe_string)
        });
        environment.set_loader(move |name| {
            Ok(own
                .get(name)
                .cloned()
                .or_else(|| built_in(name).map(str::to_owned)))
        });
        Self {
            environment,
            held,
            parsed: RefCell::default(),
        }
    }

    /// The text that a template makes of `context`.
    pub(crate) fn text(&self, name: &str, context: &impl Serialize) -> Result<String, Failure> {
        let template = self.environment.get_template(name);
        let rendered = template.and_then(|template| template.render(Serde(context)));
        rendered.map_err(|error| {
            let context = serde_json::to_value(context).unwrap_or_default();
            Failure::of_template(name, &error, &context)
        })
    }

    /// The one YAML document that a template makes of `context`.
    pub(crate) fn object(&self, name: &str, context: &impl Serialize) -> Result<Value, Failure> {
        let text = self.text(name, context);
        let values = self.held.take();
        let skeleton = self.skeleton(name, &text?, &values)?;
        Ok(yaml::without_nulls(put_back(&skeleton, &values)))
    }

    /// What a text says but for its values. Agents of one kind share it, so it is parsed once.
    fn skeleton(&self, name: &str, text: &str, values: &[Value]) -> Result<Rc<Value>, Failure> {
        if let Some(known) = self.parsed.borrow().get(text) {
            return Ok(Rc::clone(known));
        }
        let object = Rc::new(self.parse(name, text, values)?);
        let mut parsed = self.parsed.borrow_mut();
        parsed.insert(text.to_owned(), Rc::clone(&object));
        Ok(object)
    }

    fn parse(&self, name: &str, text: &str, values: &[Value]) -> Result<Value, Failure> {
        let told = || text_of(text, values);
        let mut documents = yaml::parse(text).map_err(|error| {
            let source = self.environment.get_template(name);
            let made = Made {
                source: source.as_ref().map_or("", |source| source.source()),
                text,
                told: told(),
            };
            Failure::of_yaml(name, &made, &error)
        })?;
        let object = documents
            .pop()
            .filter(|object| object.is_object() && documents.is_empty())
            .ok_or_else(|| Failure::not_an_object(name, &told()))?;
        match yaml::too_large(&object) {
            None => Ok(object),
            Some(number) => {
                let message =
                    format!("{number} is too large to be kept as it is; put it in quotes");
                Err(Failure::made_wrong(name, message))
            }
        }
    }

    /// Finds what is wrong with a template before it is used.
    pub(crate) fn check(&self, name: &str) -> Result<(), Failure> {
        let template = self.environment.get_template(name);
        template
            .map(drop)
            .map_err(|error| Failure::of_template(name, &error, &Value::Null))
    }
}

/// Lines that hold only a block leave nothing behind.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    let built = syntax.trim_blocks(true).lstrip_blocks(true).build();
    built.unwrap_or_default()
}

/// The text of a template that comes with agentctl.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    let found = EMBEDDED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text)
}

/// The names of all templates.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// By its name a template is YAML, HTML, a Dockerfile, or plain text.
fn escape_of(name: &str) -> AutoEscape {
    match name {
        name if name.ends_with(".yaml") => AutoEscape::Custom(YAML.into()),
        name if name.ends_with(".html") => AutoEscape::Html,
        name if name.starts_with("dockerfile/") => AutoEscape::Custom(DOCKERFILE.into()),
        _ => AutoEscape::None,
    }
}

/// Writes a value so that it cannot break out of its place.
fn format(
    out: &mut minijinja::Output,
    state: &mut minijinja::State,
    value: &minijinja::Value,
    held: &Held,
) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(minijinja::Error::from(ErrorKind::UndefinedError));
    }
    let escape = match state.auto_escape() {
        AutoEscape::Custom(escape) if !value.is_safe() => escape.clone(),
        _ => return minijinja::escape_formatter(out, state, value),
    };
    match escape.as_ref() {
        DOCKERFILE => plain_word(out, value),
        _ => out
            .write_str(&held.keep(data(value)?))
            .map_err(minijinja::Error::from),
    }
}

/// A value in quotes, as a Dockerfile's lists and a shell-free language take it.
fn json(
    state: &minijinja::State,
    value: &minijinja::Value,
) -> Result<minijinja::Value, minijinja::Error> {
    let text = yaml::inline(&data(value)?);
    Ok(match state.auto_escape() {
        AutoEscape::Custom(escape) if escape == DOCKERFILE => {
            minijinja::Value::from_safe_string(text)
        }
        _ => text.into(),
    })
}

fn data(value: &minijinja::Value) -> Result<Value, minijinja::Error> {
    serde_json::to_value(value).map_err(unwritable)
}

fn unwritable(error: serde_json::Error) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::BadSerialization, "a value has no form in YAML")
        .with_source(error)
}

/// A text that a Dockerfile reads as it is: it puts variables in between double quotes, too.
fn double_quoted(text: &str) -> Result<String, minijinja::Error> {
    if text.chars().any(char::is_control) {
        return Err(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            format!("{text:?} has more than one line, which a Dockerfile cannot hold"),
        ));
    }
    let escaped = |c: char| match c {
        '"' | '\\' | '$' => format!("\\{c}"),
        c => c.to_string(),
    };
    let inside: String = text.chars().map(escaped).collect();
    Ok(format!("\"{inside}\""))
}

/// In a Dockerfile a value stands as one word, or in quotes: through the filter `json` or
/// `quoted`.
fn plain_word(
    out: &mut minijinja::Output,
    value: &minijinja::Value,
) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.:/@=+,~^*".contains(c);
    match !text.is_empty() && text.chars().all(harmless) {
        true => out.write_str(&text).map_err(minijinja::Error::from),
        false => Err(minijinja::Error::new(
            ErrorKind::InvalidOperation,
            format!("{text:?} cannot stand here without quotes; use the filter json or quoted"),
        )),
    }
}
