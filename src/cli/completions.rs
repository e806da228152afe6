//! `agentctl completions` and `agentctl man`: made from the same definition as `--help`.

use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde_json::json;

use super::args::Cli;
use super::exit::Exit;
use super::show::Shown;

pub(crate) fn completions(shell: Shell, shown: &mut Shown) -> Result<Exit> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "agentctl", &mut script);
    shown.text(&String::from_utf8(script)?);
    Ok(Exit::Done)
}

pub(crate) fn man(folder: &Path, shown: &mut Shown) -> Result<Exit> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("could not write manual pages into {}", folder.display()))?;
    let folder = folder.display().to_string();
    let says = format!("wrote manual pages into {folder}");
    shown.result("written", says, json!({ "folder": folder }));
    Ok(Exit::Done)
}
