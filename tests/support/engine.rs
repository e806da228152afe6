//! The Docker engine of this machine, and images that no registry is asked for.
//!
//! Nothing can be pulled where these tests run, so the bases are made here: once, and kept outside
//! of the repository.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What the templates build Python agents on and run them on.
pub(crate) const PYTHON: [&str; 2] = ["python:3.13", "python:3.13-slim"];
/// A static busybox and nothing else.
pub(crate) const TINY: &str = "agentctl-tests/tiny:2";
/// `TINY` as the base of a version of Python that there never was.
const TINY_PYTHON: [&str; 2] = ["python:0.0", "python:0.0-slim"];

/// Counts up when the base is made in another way.
const BASE: &str = "base-bookworm-1";
const PACKAGES: &str = "python3,python3-venv,python3-pip,ca-certificates";
const BUSYBOX: &str = "/usr/bin/busybox";

/// Whether there is one; where not, the test is said to be skipped and has to end.
pub(crate) fn there_is_an_engine() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    let there = *THERE.get_or_init(|| docker(&["version"]).is_ok());
    there || is_skipped("no Docker engine answers")
}

/// The bases of `PYTHON`, made if they are not there yet.
pub(crate) fn there_is_python() -> bool {
    there_is_an_engine() && made(python())
}

/// `TINY`, made if it is not there yet.
pub(crate) fn there_is_a_tiny_image() -> bool {
    there_is_an_engine() && made(tiny())
}

/// The base of Python 0.0, made if it is not there yet.
pub(crate) fn there_is_tiny_python() -> bool {
    let named = |name| docker(&["tag", TINY, name]).map(drop);
    there_is_a_tiny_image() && made(TINY_PYTHON.into_iter().try_for_each(named))
}

/// What `docker` answers, or what it says is wrong.
pub(crate) fn docker(args: &[&str]) -> Result<String, String> {
    run(Command::new("docker").args(args))
}

/// Names like `host/team/*`.
pub(crate) fn names(like: &str) -> Vec<String> {
    let (like, format) = (format!("reference={like}"), "{{.Repository}}:{{.Tag}}");
    let found = docker(&["image", "ls", "--filter", &like, "--format", format]);
    let mut names: Vec<_> = found.unwrap().lines().map(str::to_owned).collect();
    names.sort();
    names
}

/// Takes such names away, and what has no other.
pub(crate) fn forget(like: &str) {
    let names = names(like);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    if !names.is_empty() {
        let _ = docker(&[&["rmi", "-f"][..], &names].concat());
    }
}

/// Takes away the containers, volumes and networks of a project.
pub(crate) fn clear(project: &str) {
    let filter = format!("label=com.docker.compose.project={project}");
    let kinds: [(&[&str], &[&str]); 3] = [
        (&["ps", "-aq"], &["rm", "-fv"]),
        (&["volume", "ls", "-q"], &["volume", "rm"]),
        (&["network", "ls", "-q"], &["network", "rm"]),
    ];
    for (list, remove) in kinds {
        let found = docker(&[list, &["--filter", &filter]].concat()).unwrap_or_default();
        let found: Vec<_> = found.lines().collect();
        if !found.is_empty() {
            let _ = docker(&[remove, &found].concat());
        }
    }
}

/// What is made once and outlives the run, outside of the repository.
pub(crate) fn cache() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let home = || PathBuf::from(env::var_os("HOME").unwrap()).join(".cache");
    cache
        .map_or_else(home, PathBuf::from)
        .join("agentctl-tests")
}

fn made(how: Result<(), String>) -> bool {
    match how {
        Ok(()) => true,
        Err(why) => is_skipped(&why),
    }
}

fn is_skipped(why: &str) -> bool {
    skipped(why);
    false
}

/// Says so of the test, which then has to end.
pub(crate) fn skipped(why: &str) {
    let why = why.lines().last().unwrap_or_default();
    let line = format!("test engine ... ignored, {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

fn python() -> Result<(), String> {
    let name = format!("agentctl-tests/{BASE}");
    if docker(&["image", "inspect", &name]).is_err() {
        import(&base()?, &name)?;
    }
    // One that was pulled is as good.
    let mut missing = PYTHON
        .iter()
        .filter(|tag| docker(&["image", "inspect", tag]).is_err());
    missing.try_for_each(|tag| docker(&["tag", &name, tag]).map(drop))
}

fn import(tar: &Path, name: &str) -> Result<(), String> {
    docker(&["import", &tar.display().to_string(), name]).map(drop)
}

/// The tar of a small Debian with Python, which takes minutes to make.
pub(crate) fn base() -> Result<PathBuf, String> {
    let tar = cache().join(format!("{BASE}.tar"));
    fs::create_dir_all(cache()).unwrap();
    let lock = fs::File::create(cache().join(format!("{BASE}.lock"))).unwrap();
    // Tests are processes of their own, and one of them makes it.
    lock.lock().unwrap();
    if tar.exists() {
        return Ok(tar);
    }
    let folder = tempfile::tempdir_in(cache()).unwrap();
    let root = folder.path().join("root");
    let include = format!("--include={PACKAGES}");
    let options = ["--variant=minbase", &include, "bookworm"];
    run(as_root("debootstrap").args(options).arg(&root))?;
    let fresh = folder.path().join("tar");
    run(as_root("ln")
        .args(["-s", "/usr/bin/python3"])
        .arg(root.join("usr/local/bin/python")))?;
    let left_out = [
        "--exclude=./var/cache/apt/*",
        "--exclude=./var/lib/apt/lists/*",
        "--exclude=./dev/*",
    ];
    run(as_root("tar")
        .args(left_out)
        .arg("-C")
        .arg(&root)
        .arg("-cf")
        .arg(&fresh)
        .arg("."))?;
    fs::rename(&fresh, &tar).unwrap();
    // What root made, root takes away.
    run(as_root("rm").arg("-rf").arg(&root))?;
    Ok(tar)
}

fn tiny() -> Result<(), String> {
    if docker(&["image", "inspect", TINY]).is_ok() {
        return Ok(());
    }
    if !Path::new(BUSYBOX).exists() {
        return Err("there is no static busybox".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let tar = folder.path().join("tar");
    let mut builder = tar::Builder::new(fs::File::create(&tar).unwrap());
    builder
        .append_path_with_name(BUSYBOX, "bin/busybox")
        .unwrap();
    let programs = "sh cat echo sleep true false mkdir httpd ls find wc seq sha256sum touch";
    for program in programs.split(' ') {
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        let path = format!("bin/{program}");
        builder.append_link(&mut link, path, "busybox").unwrap();
    }
    builder.into_inner().unwrap();
    import(&tar, TINY)
}

/// Only root may make the devices and owners of a root folder.
fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    match ran.status.success() {
        true => Ok(text(&ran.stdout)),
        false => Err(text(&ran.stderr)),
    }
}
