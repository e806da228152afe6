//! What is installed from Python's packages, each in a virtual environment that outlives the run, outside of
//! the repository.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::cache;

/// The programs of a package in this version and of those that go with it, installed if they are not
/// there yet.
pub(crate) fn programs(package: &str, version: &str, more: &[&str]) -> Option<PathBuf> {
    let folder = cache().join(format!("{package}-{version}"));
    let done = folder.join("installed");
    if !done.exists() {
        let all = std::iter::once(&package).chain(more);
        let all: Vec<String> = all.map(|name| format!("{name}=={version}")).collect();
        if let Err(why) = install(&folder, &all) {
            skip(package, &why);
            return None;
        }
        fs::write(&done, "").unwrap();
    }
    Some(folder.join("bin"))
}

fn install(folder: &Path, packages: &[String]) -> Result<(), String> {
    fs::create_dir_all(folder).unwrap();
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--retries", "1"];
    run(Command::new(folder.join("bin/python"))
        .args(pip)
        .args(packages))
}

fn run(command: &mut Command) -> Result<(), String> {
    let ran = command.output().map_err(|error| error.to_string())?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()),
    }
}

/// As an ignored test is told, so that it is seen, and counts as one where nothing may be skipped.
fn skip(package: &str, why: &str) {
    let why = why.lines().last().unwrap_or_default();
    let line = format!("test pip::{package} ... ignored, it cannot be installed: {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}
