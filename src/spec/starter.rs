//! A first agent.toml, from what lies in a folder.

use serde::Serialize;

use super::format::to_label;
use super::show::text;

/// What a look at a folder found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    /// The folder's own name.
    pub(crate) name: String,
    /// Names of the files and folders in it.
    pub(crate) entries: Vec<String>,
    /// `project.name` in pyproject.toml.
    pub(crate) python_name: Option<String>,
    /// `name` in package.json.
    pub(crate) node_name: Option<String>,
    /// `scripts.start` in package.json.
    pub(crate) node_start: Option<String>,
    /// `package.name` in Cargo.toml.
    pub(crate) rust_package: Option<String>,
    /// `module` in go.mod.
    pub(crate) go_module: Option<String>,
    /// The first EXPOSE of the Dockerfile.
    pub(crate) docker_port: Option<u16>,
    /// The last CMD of the Dockerfile, if it is a list.
    pub(crate) docker_command: Option<Vec<String>>,
}

/// Stands for the program that nothing in the folder names.
const UNKNOWN: &str = "./start.sh";

impl Folder {
    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry == name)
    }

    /// Whether something in it tells how the agent starts.
    pub(crate) fn tells_the_start(&self) -> bool {
        start(self).command != [UNKNOWN]
    }
}

/// What the template puts in; texts are escaped already.
#[derive(Serialize)]
struct Proposal {
    name: String,
    command: String,
    files: String,
    port: u16,
    /// What has to happen before a deploy.
    first: Option<String>,
    /// What the proposal rests on.
    found: &'static str,
}

/// The text of an agent.toml that loads; the port in it is a guess where the folder tells none.
pub(crate) fn starter(folder: &Folder) -> Result<String, minijinja::Error> {
    let environment = minijinja::Environment::empty();
    let template = include_str!("../../templates/init/agent.toml");
    let text = environment.render_str(template, minijinja::value::Serde(proposal(folder)))?;
    Ok(text + "\n")
}

fn proposal(folder: &Folder) -> Proposal {
    let start = start(folder);
    let named = [
        &folder.python_name,
        &folder.node_name,
        &folder.rust_package,
        &folder.go_module,
    ];
    let named = named.into_iter().flatten().map(|name| last_part(name));
    let mut names = named.chain([folder.name.as_str()]).filter_map(to_label);
    Proposal {
        name: text(&names.next().unwrap_or_else(|| "agent".to_owned())),
        command: list(&start.command),
        files: list(&start.files),
        port: folder.docker_port.filter(|port| *port > 0).unwrap_or(8000),
        first: start.first,
        found: start.found,
    }
}

/// How the agent starts, as far as its files tell.
struct Start {
    command: Vec<String>,
    files: Vec<String>,
    first: Option<String>,
    found: &'static str,
}

fn start(folder: &Folder) -> Start {
    match () {
        () if folder.rust_package.is_some() => rust(folder),
        () if folder.go_module.is_some() => go(folder),
        () if is_python(folder) => python(folder),
        () if folder.has("package.json") => node(folder),
        () => docker_or_unknown(folder),
    }
}

fn is_python(folder: &Folder) -> bool {
    let names = ["pyproject.toml", "requirements.txt", "app.py", "main.py"];
    names.iter().any(|name| folder.has(name))
}

fn python(folder: &Folder) -> Start {
    let file = ["app.py", "main.py"]
        .into_iter()
        .find(|name| folder.has(name));
    let command = match file {
        Some(file) => words(&["python3", file]),
        None => words(&["python3", "-m", "app"]),
    };
    of_folder(command, "a Python project")
}

fn node(folder: &Folder) -> Start {
    let entry = ["server.js", "index.js"]
        .into_iter()
        .find(|name| folder.has(name));
    let command = match (&folder.node_start, entry) {
        (Some(_), _) => words(&["npm", "start"]),
        (None, entry) => words(&["node", entry.unwrap_or("index.js")]),
    };
    of_folder(command, "a Node project")
}

fn rust(folder: &Folder) -> Start {
    let package = folder.rust_package.as_deref().unwrap_or_default();
    let binary = format!("target/release/{}", file_name(package));
    binary_of(binary, "cargo build --release", "a Rust project")
}

fn go(folder: &Folder) -> Start {
    let module = folder.go_module.as_deref().unwrap_or_default();
    let binary = file_name(last_part(module));
    let build = format!("go build -o {binary} .");
    binary_of(binary, &build, "a Go project")
}

fn docker_or_unknown(folder: &Folder) -> Start {
    match (&folder.docker_command, folder.has("Dockerfile")) {
        (Some(command), _) if command.first().is_some_and(|program| !program.is_empty()) => {
            let command = command
                .iter()
                .map(|word| word.replace("${", "$${"))
                .collect();
            of_folder(command, "a Dockerfile")
        }
        (_, true) => of_folder(words(&[UNKNOWN]), "a Dockerfile without a CMD list"),
        (_, false) => of_folder(words(&[UNKNOWN]), "nothing that says how the agent starts"),
    }
}

fn of_folder(command: Vec<String>, found: &'static str) -> Start {
    Start {
        command,
        files: words(&["."]),
        first: None,
        found,
    }
}

fn binary_of(binary: String, build: &str, found: &'static str) -> Start {
    Start {
        command: vec![format!("./{binary}")],
        files: vec![binary],
        first: Some(build.to_owned()),
        found,
    }
}

/// The last part of `@scope/name` or `example.com/team/name`.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What can stand in a command and a path without quotes.
fn file_name(name: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_';
    match name.chars().filter(kept).collect::<String>() {
        empty if empty.is_empty() => "agent".to_owned(),
        name => name,
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| text(item)).collect();
    format!("[{}]", items.join(", "))
}
