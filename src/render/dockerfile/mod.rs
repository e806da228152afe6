//! The image of an agent, in stages: what it takes to build stays behind, what lasts longest comes
//! first.
//!
//! Nothing of one commit stands in it: version, revision and date are arguments at its very end, so
//! that the same source makes the same layers.

pub(super) mod base;
mod dockerignore;
mod go;
mod health;
mod last;
pub(super) mod node;
pub(super) mod python;
mod rust;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Files, Input, Templates};
use crate::advice::advice;
use crate::spec::{Build, Part, Runtime, Template};

/// What the engine that builds it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Mounts caches and secrets while it builds.
    BuildKit,
    /// Knows neither.
    Plain,
}

const IGNORE: &str = ".dockerignore";
/// By this name it counts for that Dockerfile, whatever folder is built from.
const BESIDE: &str = "Dockerfile.dockerignore";

/// The template of one runtime, and what it is given.
struct Recipe {
    template: &'static str,
    context: Value,
}

/// `Dockerfile`, unless the folder has its own, and `.dockerignore` where it has none.
pub(crate) fn dockerfile(input: &Input, templates: &Templates, engine: Engine) -> Result<Files> {
    let Some(build) = &input.spec.build else {
        return Err(advice(
            "agent.toml says nothing of how an image is built",
            "runtime = \"python\" under [build]",
        ));
    };
    let mut files = Files::default();
    if let Some(recipe) = recipe(build, input)? {
        let mut context = recipe.context;
        common(&mut context, build, input, engine)?;
        files.add(
            "Dockerfile",
            templates.text(recipe.template, &context)? + "\n",
        );
    }
    if !input.folder.has(IGNORE) {
        files.add(IGNORE, dockerignore::text(build, input, templates)?);
    }
    Ok(files)
}

/// The same files for a folder that is not the one that is built from.
pub(crate) fn apart_from_context(mut files: Files) -> Files {
    if files.get("Dockerfile").is_some() {
        files.rename(IGNORE, BESIDE);
    }
    files
}

fn recipe(build: &Build, input: &Input) -> Result<Option<Recipe>> {
    Ok(match build.runtime {
        Runtime::Python => Some(python::recipe(build, input)?),
        Runtime::Node => Some(node::recipe(build, input)?),
        Runtime::Rust => Some(rust::recipe(build, input)?),
        Runtime::Go => Some(go::recipe(build, input)?),
        Runtime::Dockerfile => None,
    })
}

/// Adds what every runtime's template is given.
fn common(context: &mut Value, build: &Build, input: &Input, engine: Engine) -> Result<()> {
    if engine == Engine::Plain && !build.secrets.is_empty() {
        return Err(advice(
            "build.secrets are mounted by BuildKit, and the classic builder has no safe place for them",
            "build it with BuildKit: leave --plain or DOCKER_BUILDKIT=0 out",
        ));
    }
    let caches = context["caches"].take();
    context["caches"] = match engine {
        Engine::BuildKit => caches,
        Engine::Plain => json!([]),
    };
    context["args"] = build
        .args
        .iter()
        .map(|(name, value)| arg(name, value, input))
        .collect();
    context["secrets"] = json!(build.secrets);
    context["packages"] = json!(build.system_packages);
    context["last"] = last::context(build, input)?;
    Ok(())
}

/// `build.args` as an engine takes them.
pub(crate) fn build_args(input: &Input) -> BTreeMap<String, String> {
    let args = input.spec.build.iter().flat_map(|build| &build.args);
    args.map(|(name, value)| (name.clone(), word(value, input)))
        .collect()
}

fn arg(name: &str, value: &Template, input: &Input) -> Value {
    json!({ "name": name, "value": word(value, input) })
}

/// `${PORT}` is known: it is the same in every container. A secret is refused by `check`.
fn word(template: &Template, input: &Input) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Variable(_) | Part::Secret(_) => input.spec.run.port.to_string(),
    };
    template.0.iter().map(part).collect()
}

/// The names of those files that are there, in this order.
fn there<'a>(names: &[&'a str], input: &Input) -> Vec<&'a str> {
    let names = names.iter().copied();
    names.filter(|name| input.folder.has(name)).collect()
}
