//! `agentctl init`

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::args;
use super::exit::Exit;
use super::manifests::{self, after};
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
    let folder = look(&args.folder)?;
    let text = starter(&folder)?;
    fs::write(&file, text).with_context(|| format!("could not write {}", file.display()))?;
    let file = file.display().to_string();
    let next = match folder.tells_the_start() {
        true => "next: agentctl check, then agentctl deploy",
        false => "nothing here tells how the agent starts: name its program in run.command",
    };
    let says = format!("wrote {file}; {next}");
    shown.result("written", says, json!({ "file": file }));
    Ok(Exit::Done)
}

fn look(folder: &Path) -> Result<Folder> {
    let full = folder.canonicalize().advise(
        format!("could not look into {}", folder.display()),
        "name a folder that exists: agentctl init FOLDER",
    )?;
    let name = full.file_name().unwrap_or_default().to_string_lossy();
    let node = manifests::node(&full);
    let (docker_port, docker_command) = dockerfile(&full);
    Ok(Folder {
        name: name.into_owned(),
        entries: manifests::entries(&full)?.into_iter().collect(),
        python_name: manifests::python_name(&full),
        node_name: text_at(&node, "/name"),
        node_start: text_at(&node, "/scripts/start"),
        rust_package: rust_package(&full),
        go_module: manifests::go_module(&full),
        docker_port,
        docker_command,
    })
}

fn text_at(json: &Value, pointer: &str) -> Option<String> {
    Some(json.pointer(pointer)?.as_str()?.to_owned())
}

fn rust_package(folder: &Path) -> Option<String> {
    let (_, manifest) = manifests::cargo(folder)?;
    let name = manifest.get("package")?.get("name")?.as_str()?;
    Some(name.to_owned())
}

fn dockerfile(folder: &Path) -> (Option<u16>, Option<Vec<String>>) {
    let text = manifests::text(folder, "Dockerfile").unwrap_or_default();
    let port = after(&text, "EXPOSE ").and_then(|port| port.split('/').next()?.parse().ok());
    let last = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix("CMD "));
    let command = last.and_then(|command| serde_json::from_str(command.trim()).ok());
    (port, command)
}
