//! `agentctl render ci`: what a pipeline needs to know, from every environment of the file.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};

use super::{Agent, gather};

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
        file: from_the_top(&project.file)?,
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

/// What starts the pipelines of several agents, where the system does not find them itself.
pub(super) fn above(agents: &[Agent], args: &Render) -> Result<Files> {
    if args.system != Some(args::System::Gitlab) || agents.len() == 1 {
        return Ok(Files::default());
    }
    let templates = Templates::new(gather::own_templates(&gather::folder(args))?);
    let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
    render::gitlab_agents(&names, &templates)
}

/// GitLab reads one file: that of one agent must not take the place of another's.
pub(super) fn is_ours(folder: &Path, agents: &[Agent], args: &Render) -> Result<()> {
    let [agent] = agents else {
        return Ok(());
    };
    let is_asked = args.system == Some(args::System::Gitlab) && !args.force;
    let there = match is_asked {
        true => fs::read_to_string(folder.join(render::GITLAB)).unwrap_or_default(),
        false => return Ok(()),
    };
    let mut lines = there.lines().map(str::trim);
    let other = lines.find_map(|line| line.strip_prefix("AGENT_FILE: "));
    let ours = from_the_top(&agent.file)?;
    match other.map(|file| file.trim_matches(['"', '\''])) {
        Some(other) if other != ours => Err(advice(
            format!("{} there is the pipeline of {other}", render::GITLAB),
            format!("render both at once: -f {other} {ours}; or overwrite it with --force"),
        )),
        _ => Ok(()),
    }
}

/// From the top of the repository that the file lies in; without one from the current folder, which
/// then has to be above it.
fn from_the_top(file: &Path) -> Result<String> {
    let whole = file
        .canonicalize()
        .with_context(|| format!("could not read {}", file.display()))?;
    let above = whole.ancestors().skip(1);
    let top = above
        .into_iter()
        .find(|folder| folder.join(".git").exists());
    let top = match top {
        Some(top) => top.to_owned(),
        None => env::current_dir().and_then(|here| here.canonicalize())?,
    };
    match whole.strip_prefix(&top) {
        Ok(path) => Ok(path.to_string_lossy().into_owned()),
        Err(_) => Err(advice(
            format!(
                "{} lies in no Git repository, and not below this folder",
                file.display()
            ),
            "call it at the top of what the pipeline checks out",
        )),
    }
}
