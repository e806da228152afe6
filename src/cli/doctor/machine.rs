//! Replicas as processes of this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::advice::{Advise, advice};
use crate::cli::address;
use crate::cli::site::{Project, variable};
use crate::ui::Finding;

pub(super) async fn findings(project: &Project) -> Vec<Finding> {
    let port = project.loaded.spec.run.port;
    let address = address::fits(project).await;
    vec![
        Finding::of("program", program(project)),
        Finding::of(
            "address",
            address.map(|_| format!("port {port} is free, or the agent's")),
        ),
        Finding::of("state", state(project)),
    ]
}

/// What the command begins with is there; a word with a variable in it is known only at the start.
fn program(project: &Project) -> Result<String> {
    let command = &project.loaded.spec.run.command;
    let first = command.first().map(ToString::to_string).unwrap_or_default();
    if first.contains("${") {
        return Ok(format!("{first} is known only when it starts"));
    }
    let found = places(&first, project.folder())
        .into_iter()
        .find(|path| path.is_file());
    let found = found.map(|path| path.display().to_string());
    found.ok_or_else(|| {
        advice(
            format!("there is no program {first}"),
            "install it, or set run.command; which looks where the shell does",
        )
    })
}

fn places(program: &str, folder: &Path) -> Vec<PathBuf> {
    match program.contains('/') {
        true => vec![folder.join(program)],
        false => {
            let path = variable("PATH").unwrap_or_default();
            env::split_paths(&path)
                .map(|place| place.join(program))
                .collect()
        }
    }
}

/// Where journal, releases and logs are kept can be written.
fn state(project: &Project) -> Result<String> {
    let dir = project.site.dir()?;
    let dir = dir.path();
    let there = dir.ancestors().find(|path| path.is_dir()).unwrap_or(dir);
    let shown = dir.display();
    let probe = there.join(format!(".agentctl-doctor-{}", std::process::id()));
    fs::write(&probe, "")
        .and_then(|()| fs::remove_file(&probe))
        .advise(
            format!("could not write below {}", there.display()),
            format!(
                "let this user write there, or set XDG_STATE_HOME; the state is kept in {shown}"
            ),
        )?;
    Ok(format!("is kept in {shown}"))
}
