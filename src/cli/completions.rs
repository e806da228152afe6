//! `agentctl completions` and `agentctl man`: made from the same definition as `--help`.

use std::path::Path;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};
use serde_json::json;

use super::args::Cli;
use super::exit::Exit;
use super::show::Shown;

pub(crate) fn completions(shell: Shell, shown: &mut Shown) -> Result<Exit> {
    let mut script = Vec::new();
    generate(shell, &mut visible(), "agentctl", &mut script);
    shown.text(&String::from_utf8(script)?);
    Ok(Exit::Done)
}

/// Without what `--help` hides: the generators offer that, too.
fn visible() -> Command {
    let whole = Cli::command();
    let verbs = whole.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("agentctl")
        .args(whole.get_arguments().cloned())
        .subcommands(verbs.cloned())
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
