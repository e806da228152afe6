//! `agentctl init`

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::args;
use super::exit::Exit;
use super::show::Shown;
use crate::advice::{Advise, advice};
use crate::spec::{Folder, starter};

const FILE: &str = "agent.toml";

pub(crate) fn run(args: &args::Init, shown: &mut Shown) -> Result<Exit> {
    let file = args.folder.join(FILE);
    if file.exists() && !args.force {
        return Err(advice(
            format!("{} is there already", file.display()),
            "agentctl check tells whether it is right; init --force writes it anew",
        ));
    }
    let text = starter(&look(&args.folder)?)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    let file = file.display().to_string();
    let says = format!("wrote {file}; next: agentctl check, then agentctl deploy");
    shown.result("written", says, json!({ "file": file }));
    Ok(Exit::Done)
}

fn look(folder: &Path) -> Result<Folder> {
    let full = folder.canonicalize().advise(
        format!("could not look into {}", folder.display()),
        "name a folder that exists: agentctl init FOLDER",
    )?;
    let name = full.file_name().unwrap_or_default().to_string_lossy();
    let node: Value = read(&full, "package.json", |text| {
        serde_json::from_str(text).ok()
    });
    let (docker_port, docker_command) = dockerfile(&full);
    Ok(Folder {
        name: name.into_owned(),
        entries: entries(&full)?,
        node_name: text_at(&node, "/name"),
        node_start: text_at(&node, "/scripts/start"),
        rust_package: rust_package(&full),
        go_module: read(&full, "go.mod", |text| Some(after(text, "module "))),
        docker_port,
        docker_command,
    })
}

fn entries(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .with_context(|| format!("could not look into {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// What a file tells; nothing where there is none, or none that can be understood.
fn read<T: Default>(folder: &Path, name: &str, tell: impl Fn(&str) -> Option<T>) -> T {
    let text = fs::read_to_string(folder.join(name)).ok();
    text.and_then(|text| tell(&text)).unwrap_or_default()
}

fn text_at(json: &Value, pointer: &str) -> Option<String> {
    Some(json.pointer(pointer)?.as_str()?.to_owned())
}

fn rust_package(folder: &Path) -> Option<String> {
    read(folder, "Cargo.toml", |text| {
        let manifest: toml::Table = toml::from_str(text).ok()?;
        let name = manifest.get("package")?.get("name")?.as_str()?;
        Some(Some(name.to_owned()))
    })
}

/// The rest of the first line that begins so.
fn after(text: &str, start: &str) -> Option<String> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(start))?;
    Some(line.trim().to_owned())
}

fn dockerfile(folder: &Path) -> (Option<u16>, Option<Vec<String>>) {
    read(folder, "Dockerfile", |text| {
        let port = after(text, "EXPOSE ").and_then(|port| port.split('/').next()?.parse().ok());
        let last = text
            .lines()
            .rev()
            .find_map(|line| line.trim().strip_prefix("CMD "));
        let command = last.and_then(|command| serde_json::from_str(command.trim()).ok());
        Some((port, command))
    })
}
