//! What rendering needs to know, read from where it lies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::local;
use super::stack;
use super::write;
use crate::advice::{advice, with_hint};
use crate::cli::args::{File, Render, Walker};
use crate::cli::manifests;
use crate::cli::site::Project;
use crate::render::{self, BuildFolder, Controller, Input, RustPackage, Traffic};
use crate::spec::{RolloutStep, Spec, TargetSpec};

const IGNORE: &str = ".dockerignore";

/// One agent.toml of those that were named.
pub(super) struct AgentFile(Option<PathBuf>);

impl AgentFile {
    pub(super) fn of(&self, args: &Render) -> File {
        File {
            file: self.0.clone(),
            environment: args.environment.clone(),
        }
    }
}

pub(super) fn agent_files(args: &Render) -> Vec<AgentFile> {
    match args.file.is_empty() {
        true => vec![AgentFile(None)],
        false => args.file.iter().cloned().map(Some).map(AgentFile).collect(),
    }
}

/// The folder of the first agent.toml.
pub(super) fn folder(args: &Render) -> PathBuf {
    let parent = args.file.first().and_then(|file| file.parent());
    parent.unwrap_or(Path::new("")).to_owned()
}

pub(super) fn input(project: &Project, args: &Render) -> Result<Input> {
    let mut spec = project.loaded.spec.clone();
    if project.loaded.approve && args.controller.is_some() {
        let approve = "before the candidate gets traffic".to_owned();
        spec.rollout
            .steps
            .insert(0, RolloutStep::Approve { approve });
    }
    Ok(Input {
        target: project.loaded.target.clone(),
        environment: project.loaded.environment.clone(),
        image: args.image.clone().unwrap_or_else(|| image(&spec)),
        folder: build_folder(project)?,
        prompts: prompts(project)?,
        release: args.release,
        secret_values: None,
        traffic: traffic(args)?,
        stack: stack::stack(project, args)?,
        spec,
    })
}

fn traffic(args: &Render) -> Result<Traffic> {
    let moment = &args.moment;
    if let Some(release) = moment
        .candidate
        .filter(|_| moment.candidate == args.release)
    {
        let message = format!("{release} cannot be the candidate for itself");
        return Err(advice(message, "name another release with --candidate"));
    }
    Ok(Traffic {
        candidate: moment
            .candidate
            .map(|release| (release, moment.weight.unwrap_or_default())),
        mirror: moment.mirror,
        matches: moment.matches.clone(),
        by: args.controller.map(controller),
    })
}

fn controller(walker: Walker) -> Controller {
    match walker {
        Walker::ArgoRollouts => Controller::ArgoRollouts,
        Walker::Flagger => Controller::Flagger,
    }
}

/// The base of a file, and each of its environments that is a cluster; all where none is.
pub(super) fn environments(file: &AgentFile, args: &Render) -> Result<(Input, Vec<Input>)> {
    let base = Project::load(&File {
        file: file.0.clone(),
        environment: None,
    })?;
    let asked = |name: &&String| args.environment.as_ref().is_none_or(|only| only == *name);
    let names = base.loaded.environments.iter().filter(asked);
    let projects = names.map(|name| base.in_environment(name));
    let mut projects = projects.collect::<Result<Vec<Project>>>()?;
    if projects.iter().any(is_cluster) {
        projects.retain(is_cluster);
    }
    let overlays = projects.iter().map(|project| input(project, args));
    Ok((input(&base, args)?, overlays.collect::<Result<_>>()?))
}

fn is_cluster(project: &Project) -> bool {
    matches!(project.loaded.target, TargetSpec::Kubernetes { .. })
}

/// What agent.toml tells of the image: a ready one, or the repository with the agent's version.
fn image(spec: &Spec) -> String {
    let image = &spec.image;
    let repository = || image.repository.as_ref().unwrap_or(&spec.agent.name);
    let version = || spec.agent.version.as_deref().unwrap_or("latest");
    match &image.image {
        Some(image) => image.clone(),
        None => format!("{}:{}", repository(), version()),
    }
}

fn build_folder(project: &Project) -> Result<BuildFolder> {
    let Some(build) = &project.loaded.spec.build else {
        return Ok(BuildFolder::default());
    };
    let folder = project.folder().join(&build.context);
    let mut entries = manifests::entries(&folder).map_err(|error| {
        with_hint(
            error,
            "build.context names the folder that the image is made from",
        )
    })?;
    // What agentctl made for want of one is made again.
    if write::is_ours(&folder, IGNORE) {
        entries.remove(IGNORE);
    }
    Ok(BuildFolder {
        rust: rust(&folder),
        go_module: manifests::go_module(&folder),
        node_build: manifests::node(&folder)["scripts"]["build"].is_string(),
        local: local::entries(&folder, &entries),
        entries,
    })
}

fn rust(folder: &Path) -> Option<RustPackage> {
    let (text, manifest) = manifests::cargo(folder)?;
    let package = manifest.get("package")?;
    let first = manifest
        .get("bin")
        .and_then(|bins| bins.get(0)?.get("name"));
    let binary = package.get("default-run").or(first);
    let binary = binary.or(package.get("name"))?.as_str()?.to_owned();
    let own = ["bin", "lib", "bench", "example", "test", "workspace"];
    let own_places = own.iter().any(|key| manifest.contains_key(*key));
    let own_script = folder.join("build.rs").exists() || package.get("build").is_some();
    Some(RustPackage {
        binary,
        // A path anywhere may be one that is not there yet when dependencies are built.
        plain: !own_places && !own_script && !text.contains("path"),
    })
}

/// Every text below `config.prompts`, by its path there.
pub(in crate::cli) fn prompts(project: &Project) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    if let Some(folder) = &project.loaded.spec.config.prompts {
        let folder = project.folder().join(folder);
        is_no_link(&folder)?;
        if !folder.is_dir() {
            return Err(advice(
                format!("{} is no folder", folder.display()),
                "config.prompts names the folder that the prompts lie in",
            ));
        }
        texts(&folder, "", &mut found)?;
    }
    Ok(found)
}

/// A user's own templates, by the names of the built-in ones that they stand for.
pub(in crate::cli) fn own_templates(folder: &Path) -> Result<BTreeMap<String, String>> {
    let folder = folder.join("templates");
    let mut own = BTreeMap::new();
    if !leads_on(&folder)? {
        return Ok(own);
    }
    for name in render::names() {
        let path = folder.join(name);
        if leads_on(&path)? {
            own.insert(name.to_owned(), template(&path)?);
        }
    }
    Ok(own)
}

/// Whether something is there: not a link that leads nowhere, which was meant to.
fn leads_on(path: &Path) -> Result<bool> {
    match (path.exists(), path.is_symlink()) {
        (false, true) => Err(advice(
            format!("{} is a link that leads nowhere", path.display()),
            "mend it, or remove it; without it the template that comes with agentctl is used",
        )),
        (exists, _) => Ok(exists),
    }
}

/// Whatever else bears a template's name would keep a reader waiting, or is a mistake.
fn template(path: &Path) -> Result<String> {
    match path.is_file() {
        true => read(path),
        false => Err(advice(
            format!("{} stands for a template, and is no file", path.display()),
            "agentctl render --eject NAME writes a copy to begin with",
        )),
    }
}

/// Files that lie where templates do, and stand for none.
pub(super) fn strange_templates(folder: &Path) -> Vec<String> {
    let folder = folder.join("templates");
    if !folder.is_dir() {
        return Vec::new();
    }
    let known: BTreeSet<&str> = render::names().collect();
    let groups: BTreeSet<&str> = known
        .iter()
        .filter_map(|name| Some(name.split_once('/')?.0))
        .collect();
    let files = groups.into_iter().flat_map(|group| {
        let entries = fs::read_dir(folder.join(group)).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.map(move |name| format!("{group}/{name}"))
    });
    let mut strange: Vec<String> = files
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    strange.sort();
    strange
}

/// What a link leads to may be no prompt, and would stand in a file that anyone may read.
fn is_no_link(path: &Path) -> Result<()> {
    match path.is_symlink() {
        true => Err(advice(
            format!("{} is a link, and prompts are files", path.display()),
            "put the file or folder itself there",
        )),
        false => Ok(()),
    }
}

fn texts(folder: &Path, below: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("could not look into {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("could not look into {}", folder.display()))?;
        let path = entry.path();
        is_no_link(&path)?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        match path.is_dir() {
            true => texts(&path, &format!("{name}/"), found)?,
            false => drop(found.insert(name, read(&path)?)),
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}
