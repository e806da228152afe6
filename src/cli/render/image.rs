//! `agentctl render dockerfile`

use anyhow::Result;

use crate::cli::args::Render;
use crate::cli::show::Shown;
use crate::render::{self, Engine, Files, Input, Templates};
use crate::spec::Runtime;

pub(super) fn dockerfile(
    args: &Render,
    input: &Input,
    templates: &Templates,
    shown: &mut Shown,
) -> Result<Files> {
    let engine = match args.plain {
        true => Engine::Plain,
        false => Engine::BuildKit,
    };
    let build = input.spec.build.as_ref();
    if let Some(build) = build.filter(|build| build.runtime == Runtime::Dockerfile) {
        let name = &build.dockerfile;
        shown.note(format!(
            "{name} is the agent's own, and is used as it is (build.runtime = \"dockerfile\")"
        ));
    }
    render::dockerfile(input, templates, engine)
}

/// What an engine reads from stdin: what stays out of the image is another file.
pub(super) fn dockerfiles(files: &Files) -> String {
    let dockerfiles = files
        .iter()
        .filter(|(path, _)| path.ends_with("Dockerfile"));
    dockerfiles.map(|(_, text)| text).collect()
}
