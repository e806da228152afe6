//! From a recipe to a running process.
//!
//! Secrets are read at each start and go into the environment of the one process only.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail};

use super::api::Recipe;
use super::fill::{Fill, as_written};
use super::process::{MARKER, Process};

/// All that a replica gets of the edge's own environment: it must not depend on who happened to
/// start the edge.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// What a replica is told of itself, and nobody else.
pub(super) const PRIVATE: [&str; 3] = ["PORT", "AGENT_REPLICA", MARKER];

pub(super) struct Launch<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) dir: &'a Path,
    pub(super) number: u32,
    pub(super) port: u16,
    pub(super) marker: String,
    /// Where both of its output streams go.
    pub(super) log: &'a Path,
    pub(super) secrets: &'a Path,
    /// Variables for its OpenTelemetry library.
    pub(super) telling: Vec<(&'static str, String)>,
}

impl Launch<'_> {
    /// Errors say in words why it could not be started.
    pub(super) fn start(&self) -> Result<Process> {
        let mut command = self.command()?;
        Process::start(&mut command).map_err(|error| self.why_not(&error))
    }

    fn command(&self) -> Result<Command> {
        let fill = Fill::new(self.port, self.secrets)?;
        let words = fill.words(&self.recipe.command)?;
        let Some((program, arguments)) = words.split_first() else {
            bail!("its command is empty")
        };
        let log = super::logs::open(self.log)
            .map_err(|error| anyhow!("{}: {error}", self.log.display()))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.dir)
            .env_clear()
            .envs(inherited(std::env::vars_os()));
        for (name, value) in &self.recipe.env {
            command.env(name, fill.text(value)?);
        }
        command
            .env("PORT", self.port.to_string())
            .env("AGENT_REPLICA", self.number.to_string());
        command
            .env(MARKER, &self.marker)
            .envs(self.telling.iter().map(|(name, value)| (*name, value)));
        attach(&mut command, log)?;
        Ok(command)
    }

    fn why_not(&self, error: &io::Error) -> anyhow::Error {
        let program = as_written(self.recipe.command.first().map_or(&[], Vec::as_slice));
        match error.kind() {
            ErrorKind::NotFound if !self.dir.is_dir() => {
                anyhow!("no such folder: {}", self.dir.display())
            }
            ErrorKind::NotFound if self.dir.join(&program).is_file() => {
                anyhow!("{program} wants an interpreter that is not there: see its first line")
            }
            ErrorKind::NotFound => anyhow!("no such program: {program}"),
            ErrorKind::PermissionDenied => anyhow!("{program} may not be run: permission denied"),
            _ => anyhow!("{program} cannot be started: {error}"),
        }
    }
}

fn attach(command: &mut Command, log: File) -> io::Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(())
}

/// Names and values may be any bytes.
fn inherited(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (OsString, OsString)> {
    let wanted = |name: &str| INHERITED.contains(&name) || name.starts_with("LC_");
    all.filter(move |(name, _)| name.to_str().is_some_and(wanted))
}

/// Ports that, as Linux comes, no connection is given by itself: one of those could be somebody else's,
/// who answers in the replica's place, by the time that the replica listens.
const FIRST: u16 = 20_000;
const PORTS: usize = 10_000;

/// A port of this machine's that nobody listens on; not one of `taken`, which may not listen yet.
/// Edges begin in different places, and each goes on from where it was.
pub(super) fn free_port(taken: &BTreeSet<u16>) -> io::Result<u16> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = std::process::id() as usize * 131;
    let next = || FIRST + ((start + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS) as u16;
    let mut ports = std::iter::repeat_with(next).take(PORTS);
    let is_free = |port: &u16| !taken.contains(port) && bind(*port).is_ok();
    match ports.find(is_free) {
        Some(port) => Ok(port),
        None => Ok(bind(0)?.local_addr()?.port()),
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn ports_of_replicas_are_nobody_elses() {
        let first = free_port(&BTreeSet::new()).unwrap();
        let _held = TcpListener::bind(("127.0.0.1", first + 1));
        let second = free_port(&BTreeSet::from([first])).unwrap();
        assert!(second != first && second != first + 1);
        for port in [first, second] {
            assert!((FIRST..FIRST + PORTS as u16).contains(&port));
        }
    }

    #[test]
    fn variables_that_are_no_text_do_no_harm() {
        let odd = || OsString::from_vec(vec![0xff]);
        let all = [
            (odd(), "1".into()),
            ("LC_ODD".into(), odd()),
            ("X".into(), odd()),
        ];
        let kept: Vec<_> = inherited(all.into_iter()).collect();
        assert_eq!(kept, [("LC_ODD".into(), odd())]);
    }
}
