//! A command as a source.
//!
//! Invariants: what it starts ends with it, or when nobody waits for it any more; what it prints
//! fills no memory.

use std::io;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, Interest};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::answered::LARGEST;
use super::{About, Reading, cut, number_at};

/// Of what it says went wrong: the last words are there.
const LAST: usize = 4096;

/// Its exit code where no path is given.
pub(super) async fn figure(
    command: Vec<String>,
    json: Option<&str>,
    folder: &Path,
    about: &About,
) -> Result<Reading> {
    let (program, arguments) = command.split_first().context("the command is empty")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .env("AGENTCTL_RELEASE", &about.release)
        .env("AGENTCTL_STABLE", &about.stable)
        .env("AGENTCTL_WINDOW", about.window.to_string())
        .env("AGENTCTL_STEP", about.step.to_string())
        .stdin(Stdio::null())
        .stdout(json.map_or_else(Stdio::null, |_| Stdio::piped()))
        .stderr(Stdio::piped());
    let group = Group::start(&mut command).with_context(|| format!("could not run {program}"))?;
    let ran = group.ran().await?;
    let Some(path) = json else {
        return match ran.status.code() {
            Some(0) => Ok(Reading::from(0.0)),
            Some(1) => Ok(Reading {
                number: 1.0,
                says: last_words(&ran.stderr),
            }),
            _ => bail!(ended(&ran)),
        };
    };
    if !ran.status.success() {
        bail!(ended(&ran));
    }
    let json = serde_json::from_slice(&ran.stdout).context("it printed what is not JSON")?;
    number_at(path, &json).map(Reading::from)
}

fn ended(ran: &Output) -> String {
    let status = ran.status;
    match last_words(&ran.stderr) {
        Some(words) => format!("it ended with {status}: {words}"),
        None => format!("it ended with {status}"),
    }
}

fn last_words(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    text.trim_end().lines().next_back().map(cut)
}

/// A process at the head of a group of its own, all of which ends when this is dropped.
struct Group {
    head: Child,
    pid: Pid,
}

impl Group {
    fn start(command: &mut Command) -> io::Result<Self> {
        let head = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = head.id().and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { head, pid })
    }

    async fn ran(mut self) -> Result<Output> {
        let (stdout, stderr) = (self.head.stdout.take(), self.head.stderr.take());
        let (stdout, stderr, ()) = tokio::try_join!(whole(stdout), end(stderr), self.ends())?;
        let status = self.head.wait().await?;
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// When its head has: what that leaves running would hold on to the output.
    async fn ends(&self) -> Result<()> {
        let head = watched(self.pid)?;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while rustix::process::waitid(WaitId::Pid(self.pid), look)?.is_none() {
            head.readable().await?.clear_ready();
        }
        self.kill();
        Ok(())
    }

    /// Only before its head is waited for: after that somebody else may have the group's number.
    fn kill(&self) {
        if self.head.id().is_some() {
            let _ = rustix::process::kill_process_group(self.pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

// Tokio's other way in is unsafe, because a type may change what descriptor it holds; an `OwnedFd`
// cannot.
#[expect(deprecated)]
fn watched(pid: Pid) -> io::Result<AsyncFd<std::os::fd::OwnedFd>> {
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?;
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}

async fn whole(stream: Option<ChildStdout>) -> Result<Vec<u8>> {
    let mut whole = Vec::new();
    if let Some(stream) = stream {
        let mut some = stream.take(LARGEST as u64 + 1);
        some.read_to_end(&mut whole).await?;
    }
    ensure!(whole.len() <= LARGEST, "it printed more than 1 MiB");
    Ok(whole)
}

async fn end(stream: Option<ChildStderr>) -> Result<Vec<u8>> {
    let mut last = Vec::with_capacity(2 * LAST);
    if let Some(mut stream) = stream {
        while stream.read_buf(&mut last).await? > 0 {
            last.drain(..last.len().saturating_sub(LAST));
        }
    }
    Ok(last)
}
