//! Go: one program without any library.

use anyhow::Result;
use serde_json::json;

use super::{Recipe, base, there};
use crate::advice::advice;
use crate::render::Input;
use crate::spec::Build;

pub(super) fn recipe(build: &Build, input: &Input) -> Result<Recipe> {
    if !input.folder.has("go.mod") {
        return Err(advice(
            "there is no go.mod in the build's folder",
            "go mod init",
        ));
    }
    let bases = base::bases(build);
    let context = json!({
        "build_base": bases.build,
        "base": bases.run,
        "package": package(input),
        "manifests": there(&["go.mod", "go.sum"], input),
        "caches": ["type=cache,target=/go/pkg/mod", "type=cache,target=/root/.cache/go-build"],
    });
    Ok(Recipe {
        template: "dockerfile/go",
        context,
    })
}

/// The folder itself where it holds source, else `cmd/NAME` as Go projects have it.
fn package(input: &Input) -> String {
    let has_source = input
        .folder
        .entries
        .iter()
        .any(|name| name.ends_with(".go"));
    match input.folder.has("cmd") && !has_source {
        true => format!("./cmd/{}", input.spec.agent.name),
        false => ".".to_owned(),
    }
}

/// A program is called as the last part of its package.
pub(super) fn usual(input: &Input) -> Option<Vec<String>> {
    let program = match package(input).as_str() {
        "." => input
            .folder
            .go_module
            .as_ref()?
            .rsplit('/')
            .next()?
            .to_owned(),
        _ => input.spec.agent.name.clone(),
    };
    Some(vec![program])
}
