//! `agentctl render ci`: what a pipeline needs to know, from every environment of the file.

use std::path::Path;

use anyhow::Result;

use crate::advice::advice;
use crate::cli::args::{self, Render};
use crate::cli::site::Project;
use crate::render::{self, Files, Input, Pipeline, Stage, System, Templates};
use crate::spec::Loaded;

/// Environments of people's own machines, which no pipeline deploys to.
const AT_HOME: [&str; 3] = ["development", "dev", "local"];

pub(super) fn ci(
    args: &Render,
    project: &Project,
    input: &Input,
    templates: &Templates,
) -> Result<Files> {
    let system = match args.system {
        Some(args::System::Github) => System::Github,
        Some(args::System::Gitlab) => System::Gitlab,
        None => {
            return Err(advice(
                "whose pipeline is not said",
                "--for github, or --for gitlab",
            ));
        }
    };
    let pipeline = Pipeline {
        system,
        file: from_the_top(&project.file),
        stages: stages(project)?,
    };
    render::ci(input, &pipeline, templates)
}

/// The one that was asked for, or all that are there.
fn stages(project: &Project) -> Result<Vec<Stage>> {
    let loaded = &project.loaded;
    let others = || {
        let names = loaded.environments.iter();
        names.filter(|name| !AT_HOME.contains(&name.as_str()))
    };
    if loaded.environment.is_some() || others().next().is_none() {
        return Ok(vec![stage(loaded.clone())]);
    }
    let load = |name: &String| Ok(stage(project.in_environment(name)?.loaded));
    others().map(load).collect()
}

fn stage(loaded: Loaded) -> Stage {
    Stage {
        environment: loaded.environment,
        spec: loaded.spec,
        target: loaded.target,
        approve: loaded.approve,
    }
}

/// agentctl is meant to be called at the top of the repository; a path from elsewhere tells nothing
/// but the file's name.
fn from_the_top(file: &Path) -> String {
    let relative = file.strip_prefix(".").unwrap_or(file);
    let known = match relative.is_relative() && !relative.starts_with("..") {
        true => relative,
        false => Path::new(file.file_name().unwrap_or_default()),
    };
    known.to_string_lossy().into_owned()
}
