//! `agentctl render dockerfile`, and what an engine is given of it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Buildable;
use crate::advice::Advise;
use crate::cli::args::{Render, What};
use crate::cli::site::Project;
use crate::image::{stays_inside, text};
use crate::render::{self, Engine, Files, Input, Templates};
use crate::spec::Runtime;

const IGNORE: &str = ".dockerignore";

pub(super) fn dockerfile(
    args: &Render,
    project: &Project,
    input: &Input,
    templates: &Templates,
) -> Result<Files> {
    let engine = match args.plain {
        true => Engine::Plain,
        false => Engine::BuildKit,
    };
    let files = render::dockerfile(input, templates, engine)?;
    Ok(match lies_elsewhere(args, &context(project, input)) {
        true => render::apart_from_context(files),
        false => files,
    })
}

fn lies_elsewhere(args: &Render, context: &Path) -> bool {
    let Some(out) = &args.out else {
        return false;
    };
    let (out, context) = (out.canonicalize().ok(), context.canonicalize().ok());
    args.file.len() > 1 || out != context
}

fn context(project: &Project, input: &Input) -> PathBuf {
    let build = input.spec.build.as_ref();
    let context = build.map_or(".", |build| &build.context);
    project.folder().join(context)
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

pub(super) fn buildable(project: &Project, input: &Input, files: &Files) -> Result<Buildable> {
    let own = input.spec.build.as_ref();
    let own = own.filter(|build| build.runtime == Runtime::Dockerfile);
    let folder = context(project, input);
    let rendered = |name| files.get(name).unwrap_or_default().to_owned();
    if let Some(build) = own {
        stays_inside(&folder, &build.dockerfile)?;
    }
    let dockerfile = match own {
        Some(build) => text(&folder.join(&build.dockerfile)).advise(
            format!("could not read {}", build.dockerfile),
            "build.dockerfile names another; runtime = \"python\", or what the agent is written in, \
             needs none",
        )?,
        None => rendered("Dockerfile"),
    };
    let names = own.map(|build| format!("{}{IGNORE}", build.dockerfile));
    let names = names.into_iter().chain([IGNORE.to_owned()]);
    Ok(Buildable {
        dockerfile,
        ignore: first(&folder, names)?.unwrap_or_else(|| rendered(IGNORE)),
        own: own.map(|build| build.dockerfile.clone()),
        args: own.map(|_| render::build_args(input)).unwrap_or_default(),
    })
}

/// The text of the first of these files that is there.
fn first(folder: &Path, names: impl Iterator<Item = String>) -> Result<Option<String>> {
    for name in names {
        let path = folder.join(&name);
        stays_inside(folder, &name)?;
        // A link to nothing is an error, not a context without rules.
        if path.symlink_metadata().is_ok() {
            let text = text(&path);
            let hint = "it has to be a file of text in UTF-8, with a pattern in each line";
            return text
                .advise(format!("could not read {name}"), hint)
                .map(Some);
        }
    }
    Ok(None)
}
