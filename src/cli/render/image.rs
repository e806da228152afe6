//! `agentctl render dockerfile`

use anyhow::Result;

use crate::cli::args::{Render, What};
use crate::render::{self, Engine, Files, Input, Templates};
use crate::spec::Runtime;

pub(super) fn dockerfile(args: &Render, input: &Input, templates: &Templates) -> Result<Files> {
    let engine = match args.plain {
        true => Engine::Plain,
        false => Engine::BuildKit,
    };
    render::dockerfile(input, templates, engine)
}

/// What is to be said of a Dockerfile that the folder has itself.
pub(super) fn own(what: What, input: &Input) -> Option<String> {
    let build = input.spec.build.as_ref()?;
    let is_own = what == What::Dockerfile && build.runtime == Runtime::Dockerfile;
    let name = &build.dockerfile;
    let says = "is the agent's own, and is used as it is (build.runtime = \"dockerfile\")";
    is_own.then(|| format!("{name} {says}"))
}

/// What an engine reads from stdin: what stays out of the image is another file.
pub(super) fn dockerfiles(files: &Files) -> String {
    let dockerfiles = files
        .iter()
        .filter(|(path, _)| path.ends_with("Dockerfile"));
    dockerfiles.map(|(_, text)| text).collect()
}
