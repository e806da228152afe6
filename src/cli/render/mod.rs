//! `agentctl render`

mod gather;
mod image;
mod list;
mod local;
mod many;
mod pipeline;
mod stack;
mod write;

pub(super) use gather::{own_templates, prompts};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use super::args::{Layout, Render, System, What};
use super::exit::Exit;
use super::show::Shown;
use super::site::Project;
use crate::advice::{advice, with_advice};
use crate::release::{Identity, ReleaseId};
use crate::render::{self, Files, Input, Templates};
use crate::spec::{Problem, TargetSpec};

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
    if args.layout == Layout::Kustomize {
        has_layers(what, args, shown)?;
    }
    let files = gather::agent_files(args);
    let templates = || Templates::new(BTreeMap::new());
    let agents = many::each(&files, templates, |file, templates| {
        agent(what, file, args, templates)
    });
    let agents = agents.into_iter().collect::<Result<Vec<Agent>>>()?;
    agents.iter().for_each(|agent| agent.warn(shown));
    have_own_names(&agents)?;
    let files = together(&agents, args)?;
    let exit = match &args.out {
        Some(folder) => {
            pipeline::is_ours(folder, &agents, args)?;
            write::into(folder, what, &files, args.force, shown)?
        }
        None => print(what, &files, shown)?,
    };
    let notes = agents.iter().flat_map(|agent| &agent.notes);
    notes.for_each(|note| shown.note(note));
    Ok(exit)
}

fn have_own_names(agents: &[Agent]) -> Result<()> {
    let mut taken = BTreeSet::new();
    let mut names = agents.iter().flat_map(|agent| &agent.names);
    match names.find(|name| !taken.insert(*name)) {
        None => Ok(()),
        Some(twice) => Err(advice(
            format!("two of the files want the name {twice}"),
            "give each agent, service and tool of one namespace a name of its own",
        )),
    }
}

/// Several agents have a folder each; but GitHub reads all workflows of a repository from one.
fn together(agents: &[Agent], args: &Render) -> Result<Files> {
    let mut files = pipeline::above(agents, args)?;
    for agent in agents {
        let below = match agents.len() {
            1 => String::new(),
            _ if args.system == Some(System::Github) => String::new(),
            _ => format!("{}/", agent.name),
        };
        files.extend(&below, agent.files.clone());
    }
    Ok(files)
}

/// A base and its overlays are folders of objects: nothing else has them, and no stream could hold
/// them.
fn has_layers(what: What, args: &Render, shown: &Shown) -> Result<()> {
    if what != What::Kubernetes {
        let message = "only objects of a cluster have a layout";
        return Err(advice(message, "leave --layout out"));
    }
    match args.out.is_some() || shown.is_json() {
        true => Ok(()),
        false => Err(advice("Kustomize reads folders", "name one with -o")),
    }
}

/// What was rendered of one agent, and what is to be said of it.
struct Agent {
    name: String,
    /// Names that no other agent beside it may have.
    names: Vec<String>,
    warnings: Vec<Problem>,
    without_effect: Vec<String>,
    notes: Vec<String>,
    files: Files,
    /// agent.toml, as it was named.
    file: PathBuf,
}

impl Agent {
    fn warn(&self, shown: &mut Shown) {
        shown.warnings(&self.warnings);
        self.without_effect.iter().for_each(|path| shown.warn(path));
    }
}

fn agent(
    what: What,
    file: &gather::AgentFile,
    args: &Render,
    built_in: &Templates,
) -> Result<Agent> {
    let project = Project::load(&file.of(args))?;
    let own = gather::own_templates(project.folder())?;
    let input = gather::input(&project, args)?;
    let said = |name: &String| format!("templates/{name} stands for the built-in one");
    let mut notes: Vec<String> = own.keys().map(said).collect();
    let strange = gather::strange_templates(project.folder());
    notes.extend(strange.iter().map(|name| {
        format!(
            "templates/{name} stands for no built-in one; agentctl render --eject takes their names"
        )
    }));
    notes.extend(image::own(what, &input));
    let job = Job {
        args,
        file,
        project: &project,
        input: &input,
    };
    let files = match own.is_empty() {
        true => job.render(what, built_in)?,
        false => job.render(what, &Templates::new(own))?,
    };
    notes.extend(by_hand(what, &input));
    notes.extend(beyond(what, &input));
    Ok(Agent {
        names: names(what, &input),
        without_effect: stack::warnings(&project, what),
        name: input.spec.agent.name,
        warnings: project.loaded.warnings,
        notes,
        files,
        file: project.file,
    })
}

/// The agent's own; in a cluster also those that its services are reached by.
fn names(what: What, input: &Input) -> Vec<String> {
    let agent = &input.spec.agent.name;
    let beside = render::service_names(input).filter(|_| what == What::Kubernetes);
    let release = input.release.filter(|_| what == What::Kubernetes);
    let release = release.map(|_| input.release_name());
    std::iter::once(agent.clone())
        .chain(beside)
        .chain(release)
        .collect()
}

/// What whoever applies the files has to run beside.
fn by_hand(what: What, input: &Input) -> Option<String> {
    let asked = (what == What::Kubernetes).then_some(input)?;
    let command = render::secret_command(asked)?;
    Some(format!(
        "the values of secrets are in no file; this adds them:\n{command}"
    ))
}

/// What no Role in the namespace can give.
fn beyond(what: What, input: &Input) -> Option<String> {
    let TargetSpec::Kubernetes {
        namespace: Some(name),
        create_namespace: true,
        ..
    } = &input.target
    else {
        return None;
    };
    (what == What::Rbac).then(|| {
        format!("no Role gives the right to make the namespace: kubectl create namespace {name}")
    })
}

/// Finds what shows only when the files are made, like prompts that are too large.
pub(crate) fn check(project: &Project) -> Result<()> {
    let own = gather::own_templates(project.folder())?;
    let names: Vec<String> = own.keys().cloned().collect();
    let templates = Templates::new(own);
    let input = gather::input(project, &Render::default())?;
    for name in &names {
        rendered(templates.check(name), &input)?;
    }
    if input.spec.build.is_some() && project.loaded.target.runs_images() {
        built(project, &input, &templates, render::Engine::BuildKit)?;
    }
    if let TargetSpec::Kubernetes { .. } = project.loaded.target {
        rendered(render::kubernetes(&input, &templates), &input)?;
    }
    Ok(())
}

/// Every object of a release that runs in a cluster.
pub(crate) fn objects(
    project: &Project,
    image: &str,
    release: ReleaseId,
    secret_values: Option<&Identity>,
) -> Result<Vec<Value>> {
    let templates = Templates::new(gather::own_templates(project.folder())?);
    let args = Render {
        image: Some(image.to_owned()),
        release: Some(release),
        ..Render::default()
    };
    let input = render::Input {
        secret_values: secret_values.cloned(),
        ..gather::input(project, &args)?
    };
    rendered(render::values(&input, &templates), &input)
}

/// What was rendered; where a template is to blame, that it can be mended or done without.
fn rendered<T>(done: Result<T, impl Into<anyhow::Error>>, input: &Input) -> Result<T> {
    done.map_err(|error| {
        let (error, what) = (
            error.into(),
            format!("could not render {}", input.spec.agent.name),
        );
        match error.downcast_ref().and_then(render::Failure::template) {
            Some(name) => {
                let hint = format!(
                    "mend templates/{name}; without it the one that comes with agentctl is used"
                );
                with_advice(error, what, hint)
            }
            None => error.context(what),
        }
    })
}

/// What deploying it to a cluster takes.
pub(crate) fn rights(project: &Project) -> Result<Vec<render::Right>> {
    let templates = Templates::new(gather::own_templates(project.folder())?);
    let input = gather::input(project, &Render::default())?;
    rendered(render::rights(&input, &templates), &input)
}

/// What of it this deploy cannot do without.
pub(crate) fn needed(project: &Project) -> Result<Vec<render::Right>> {
    let templates = Templates::new(gather::own_templates(project.folder())?);
    let input = gather::input(project, &Render::default())?;
    rendered(render::needed(&input, &templates), &input)
}

/// A Dockerfile as it is built, and what stays out of its context.
pub(crate) struct Buildable {
    pub(crate) dockerfile: String,
    /// The text of `.dockerignore`.
    pub(crate) ignore: String,
    /// The Dockerfile's path in the context, where it is the agent's own.
    pub(crate) own: Option<String>,
    /// What is handed to a Dockerfile of the agent's own; a rendered one holds them already.
    pub(crate) args: BTreeMap<String, String>,
}

/// What an engine of this kind builds.
pub(crate) fn buildable(project: &Project, engine: render::Engine) -> Result<Buildable> {
    let templates = Templates::new(gather::own_templates(project.folder())?);
    let input = gather::input(project, &Render::default())?;
    built(project, &input, &templates, engine)
}

fn built(
    project: &Project,
    input: &Input,
    templates: &Templates,
    engine: render::Engine,
) -> Result<Buildable> {
    let files = rendered(render::dockerfile(input, templates, engine), input)?;
    image::buildable(project, input, &files)
}

/// One agent, with what was asked for of it.
struct Job<'a> {
    args: &'a Render,
    file: &'a gather::AgentFile,
    project: &'a Project,
    input: &'a Input,
}

impl Job<'_> {
    fn render(&self, what: What, templates: &Templates) -> Result<Files> {
        let done = match what {
            What::Compose => render::compose(self.input, templates),
            What::Ci => pipeline::ci(self.args, self.project, self.input, templates),
            What::Dockerfile => image::dockerfile(self.args, self.project, self.input, templates),
            What::Kubernetes => self.kubernetes(templates),
            What::Rbac => Ok(render::rbac(self.input, templates)?),
        };
        rendered(done, self.input)
    }

    fn kubernetes(&self, templates: &Templates) -> Result<Files> {
        match self.args.layout {
            Layout::Flat => Ok(render::kubernetes(self.input, templates)?),
            Layout::Kustomize => {
                let (base, environments) = gather::environments(self.file, self.args)?;
                Ok(render::kustomize(&base, &environments, templates)?)
            }
        }
    }
}

fn print(what: What, files: &Files, shown: &mut Shown) -> Result<Exit> {
    if shown.is_json() {
        let files: serde_json::Map<_, _> = files
            .iter()
            .map(|(path, text)| (path.to_owned(), json!(text)))
            .collect();
        shown.json("files", json!(files));
        return Ok(Exit::Done);
    }
    let texts = files.iter().map(|(_, text)| text);
    let text = match what {
        What::Compose => return stack::print(files, shown),
        What::Dockerfile => image::dockerfiles(files),
        // Objects of a cluster are one stream of documents.
        What::Ci | What::Kubernetes | What::Rbac => texts.collect::<Vec<_>>().join("---\n"),
    };
    shown.text(&text);
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
    let folder = gather::folder(args);
    if folder != Path::new("") && !folder.is_dir() {
        return Err(advice(
            format!("there is no folder {}", folder.display()),
            "-f names the agent.toml that the copy is to lie beside",
        ));
    }
    let path = folder.join("templates").join(name);
    write::copy(&path, text, args.force)?;
    let path = path.display().to_string();
    let says = format!("wrote {path}; it stands for the built-in one from now on");
    shown.result("written", says, json!({ "file": path }));
    Ok(Exit::Done)
}
