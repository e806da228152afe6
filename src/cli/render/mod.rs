//! `agentctl render`

mod gather;
mod write;

use anyhow::{Context, Result};
use serde_json::json;

use super::args::{Render, What};
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;
use crate::advice::advice;
use crate::render::{self, Files, Input, Templates};
use crate::spec::TargetSpec;

pub(crate) fn run(args: &Render, shown: &mut Shown) -> Result<Exit> {
    match (&args.eject, args.what) {
        (Some(name), _) => eject(name, args, shown),
        (None, Some(what)) => all(what, args, shown),
        (None, None) => Err(advice(
            "nothing to render was named",
            "agentctl render --help",
        )),
    }
}

fn all(what: What, args: &Render, shown: &mut Shown) -> Result<Exit> {
    let files = gather::agent_files(args);
    let mut rendered = Files::default();
    for file in &files {
        let project = Project::load(&file.of(args))?;
        shown.warnings(&project.loaded.warnings);
        let own = gather::own_templates(project.folder())?;
        let templates = Templates::new(own);
        let input = gather::input(&project, args)?;
        let below = match files.len() {
            1 => String::new(),
            _ => format!("{}/", input.spec.agent.name),
        };
        rendered.extend(&below, one(what, &input, &templates)?);
        if what == What::Kubernetes {
            not_rendered(&input, shown);
        }
    }
    match &args.out {
        Some(folder) => write::into(folder, &rendered, args.force, shown),
        None => print(&rendered, shown),
    }
}

/// Finds what shows only when the files are made, like prompts that are too large.
pub(crate) fn check(project: &Project) -> Result<()> {
    if let TargetSpec::Kubernetes { .. } = project.loaded.target {
        let templates = Templates::new(gather::own_templates(project.folder())?);
        let input = gather::input(project, &Render::default())?;
        one(What::Kubernetes, &input, &templates)?;
    }
    Ok(())
}

/// Values of secrets are in no file: whoever applies these has to supply them.
fn not_rendered(input: &Input, shown: &mut Shown) {
    if let Some(command) = render::secret_command(input) {
        shown.note(format!(
            "values of secrets are not in these files; this adds them:\n{command}"
        ));
    }
}

fn one(what: What, input: &Input, templates: &Templates) -> Result<Files> {
    let rendered = match what {
        What::Kubernetes => render::kubernetes(input, templates),
    };
    rendered.with_context(|| format!("could not render {}", input.spec.agent.name))
}

/// Objects of a cluster are one stream of documents.
fn print(files: &Files, shown: &mut Shown) -> Result<Exit> {
    if shown.is_json() {
        let files: serde_json::Map<_, _> = files
            .iter()
            .map(|(path, text)| (path.to_owned(), json!(text)))
            .collect();
        shown.json("files", json!(files));
        return Ok(Exit::Done);
    }
    let texts: Vec<&str> = files.iter().map(|(_, text)| text).collect();
    shown.text(&texts.join("---\n"));
    Ok(Exit::Done)
}

/// A user's copy of a template, beside the first agent.toml that was named.
fn eject(name: &str, args: &Render, shown: &mut Shown) -> Result<Exit> {
    let Some(text) = render::built_in(name) else {
        let names: Vec<&str> = render::names().collect();
        return Err(advice(
            format!("there is no template {name}"),
            format!("these are there: {}", names.join(", ")),
        ));
    };
    let folder = gather::folder(args).join("templates");
    write::into(&folder, &Files::one(name, text), args.force, shown)
}
