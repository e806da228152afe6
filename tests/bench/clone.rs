//! From a fresh clone to a live URL, by the first command of the README.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::place::{free_port, repository};
use crate::table::{Finding, Table, amount};

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let dir = tempfile::tempdir()?;
    let began = Instant::now();
    let clone = Command::new("git")
        .args(["clone", "--quiet"])
        .arg(repository())
        .arg(dir.path().join("agentctl"))
        .status()?;
    ensure!(
        clone.success(),
        "could not clone {}",
        repository().display()
    );
    let clone = Clone {
        dir: &dir.path().join("agentctl"),
        state: &dir.path().join("state"),
    };
    clone.on_a_free_port()?;
    let readme = fs::read_to_string(clone.dir.join("README.md"));
    let command = first_command(&readme.context("could not read README.md")?)?;
    let live = clone.shell(&command);
    let seconds = began.elapsed().as_secs_f64();
    let stopped = clone.shell("./target/release/agentctl stop --now --agent support-agent");
    live.and(stopped)?;
    let mut table = Table::new(&["from clone to live", "time"]);
    table.row([command, amount(seconds, "s")]);
    table.print();
    Ok(vec![Finding::at_most(
        "clone to live URL",
        seconds,
        300.0,
        "s",
    )])
}

/// What is typed at the first prompt.
fn first_command(readme: &str) -> Result<String> {
    let typed = readme.lines().find_map(|line| line.strip_prefix("$ "));
    Ok(typed.context("the README shows no command")?.to_owned())
}

struct Clone<'a> {
    dir: &'a Path,
    state: &'a Path,
}

impl Clone<'_> {
    /// Whatever else runs on this machine keeps its port.
    fn on_a_free_port(&self) -> Result<()> {
        let file = self.dir.join("examples/quickstart/agent.toml");
        let port = format!("port = {}", free_port()?);
        let spec = fs::read_to_string(&file)?.replace("port = 8000", &port);
        Ok(fs::write(file, spec)?)
    }

    fn shell(&self, command: &str) -> Result<()> {
        let status = Command::new("sh")
            .args(["-e", "-c", command])
            .current_dir(self.dir)
            .env("XDG_STATE_HOME", self.state)
            .env_remove("CARGO_TARGET_DIR")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "`{command}` ended with {status}");
        Ok(())
    }
}
