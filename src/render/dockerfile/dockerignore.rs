//! What stays out of the image: what git keeps, credentials, what others build, and what the agent
//! is given when it starts.

use serde_json::json;

use crate::render::{Failure, Input, Templates};
use crate::spec::{Build, SecretSource};

pub(super) fn text(build: &Build, input: &Input, templates: &Templates) -> Result<String, Failure> {
    let spec = &input.spec;
    let secrets = spec.secrets.values().filter_map(|source| match source {
        SecretSource::File(path) => Some(path.as_str()),
        _ => None,
    });
    let own: Vec<String> = spec
        .config
        .prompts
        .as_deref()
        .into_iter()
        .chain(secrets)
        .filter_map(|path| pattern(path, &build.context))
        .collect();
    let text = templates.text("dockerignore", &json!({ "own": own }))?;
    Ok(text.trim_end().to_owned() + "\n")
}

/// The pattern of a path beside agent.toml; `None` where it lies outside of the build's folder.
fn pattern(path: &str, context: &str) -> Option<String> {
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        parts.map(str::to_owned).collect()
    };
    let (path_parts, context) = (parts(path), parts(context));
    let inside = path_parts.strip_prefix(context.as_slice())?;
    let goes_up = inside.iter().any(|part| part == "..");
    let is_inside = !path.starts_with('/') && !inside.is_empty() && !goes_up;
    is_inside.then(|| format!("/{}", literal(&inside.join("/"))))
}

/// What has a meaning in a pattern stands for itself; a line's end can only be stood for.
fn literal(path: &str) -> String {
    let one = |c: char| match c {
        '*' | '?' | '[' | ']' | '\\' => format!("\\{c}"),
        c if c.is_control() => "?".to_owned(),
        c => c.to_string(),
    };
    path.chars().map(one).collect()
}
