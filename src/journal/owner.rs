//! Who holds the lease, so that a person can find it and another process can tell that it is dead.

use std::fmt;
use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
    /// `None` where the system does not tell: then only the heartbeat counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) process: Option<Process>,
    /// The CI run that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
}

/// What tells a process from all others that have or had its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// The machine across its boots. Host names alone are no proof: CI machines share them.
    pub(crate) machine: Option<String>,
    pub(crate) boot: String,
    /// The namespace that the pid is counted in: containers of one machine have their own.
    pub(crate) space: String,
    /// In clock ticks since the boot.
    pub(crate) started: u64,
}

/// What has become of a pid of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulse {
    Gone,
    /// It runs, and started at this many clock ticks after the boot.
    Started(u64),
    Unknown,
}

impl Owner {
    /// This process; `env` looks up its environment.
    pub(crate) fn here(env: impl Fn(&str) -> Option<String>) -> Self {
        let pid = std::process::id();
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self {
            user: user(&env, getuid().as_raw(), &passwd),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            pid,
            process: this_process(pid),
            run: run(&env),
        }
    }

    /// `anna@laptop`: for people who read it later, when no process has the number any more.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// Whether this owner is dead beyond doubt, as this machine sees it now.
    pub(crate) fn is_gone(&self, me: &Self) -> bool {
        self.is_dead(me, pulse)
    }

    /// Whether this owner is dead beyond doubt, as seen from `me`.
    pub(super) fn is_dead(&self, me: &Self, pulse: impl Fn(u32) -> Pulse) -> bool {
        let (Some(its), Some(mine)) = (&self.process, &me.process) else {
            return false;
        };
        if its.boot != mine.boot {
            return self.host == me.host && its.machine.is_some() && its.machine == mine.machine;
        }
        its.space == mine.space
            && match pulse(self.pid) {
                Pulse::Gone => true,
                Pulse::Started(at) => at != its.started,
                Pulse::Unknown => false,
            }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}", self.name(), self.pid)?;
        match &self.run {
            Some(run) => write!(f, ", {run})"),
            None => write!(f, ")"),
        }
    }
}

/// As the environment says, else as the system knows the user's number.
fn user(env: &impl Fn(&str) -> Option<String>, uid: u32, passwd: &str) -> String {
    let named = |name| env(name).filter(|name| !name.is_empty());
    named("USER")
        .or_else(|| named("LOGNAME"))
        .or_else(|| account(passwd, uid))
        .unwrap_or_else(|| format!("uid-{uid}"))
}

fn account(passwd: &str, uid: u32) -> Option<String> {
    let mut accounts = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?))
    });
    let (name, _) = accounts.find(|(_, number)| number.parse() == Ok(uid))?;
    Some(name.to_owned())
}

/// The address of this run at GitHub, GitLab or Jenkins.
fn run(env: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let github = || {
        let (server, repository) = (env("GITHUB_SERVER_URL")?, env("GITHUB_REPOSITORY")?);
        Some(format!(
            "{server}/{repository}/actions/runs/{}",
            env("GITHUB_RUN_ID")?
        ))
    };
    github()
        .or_else(|| env("CI_JOB_URL"))
        .or_else(|| env("BUILD_URL"))
}

fn this_process(pid: u32) -> Option<Process> {
    let Pulse::Started(started) = pulse(pid) else {
        return None;
    };
    Some(Process {
        machine: line("/etc/machine-id"),
        boot: line("/proc/sys/kernel/random/boot_id")?,
        space: fs::read_link("/proc/self/ns/pid")
            .ok()?
            .to_string_lossy()
            .into_owned(),
        started,
    })
}

fn line(file: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Asks the kernel. A process of another user may be hidden in /proc, hence the signal first.
pub(super) fn pulse(pid: u32) -> Pulse {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Pulse::Unknown;
    };
    if test_kill_process(number) == Err(Errno::SRCH) {
        return Pulse::Gone;
    }
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| parse_stat(&stat))
        .unwrap_or(Pulse::Unknown)
}

/// The command's name comes second, in parentheses, and may hold anything; the state is third, the
/// start 22nd. What is dead and not yet waited for by its parent is gone too.
fn parse_stat(stat: &str) -> Option<Pulse> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" => Some(Pulse::Gone),
        _ => fields.nth(18)?.parse().ok().map(Pulse::Started),
    }
}
