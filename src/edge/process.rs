//! One process of a replica: starting it, taking it back after the edge was killed, noticing its
//! end, signalling its group.
//!
//! A process is known by its id *and* the kernel's stamp of its start, because ids are used again.
//! It is watched through a pidfd, so its end is noticed at once, whoever its parent is.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Enough to find a process again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Clock ticks since boot, as in field 22 of `/proc/PID/stat`.
    pub(super) started: u64,
}

#[derive(Debug)]
pub(super) struct Process {
    identity: Identity,
    pid: Pid,
    pidfd: AsyncFd<OwnedFd>,
}

impl Process {
    /// Starts a process at the head of a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Process> {
        let mut child = command.process_group(0).spawn()?;
        // One that cannot be watched must not go on unwatched.
        Self::of_child(child.id()).inspect_err(|_| {
            let _ = child.kill();
            let _ = child.wait();
        })
    }

    fn of_child(id: u32) -> io::Result<Process> {
        let pid = i32::try_from(id).map_err(io::Error::other)?;
        // A child that has ended already still has its entry until it is waited for.
        let started = Stat::of(pid).ok_or(io::ErrorKind::NotFound)?.started;
        Process::open(Identity { pid, started })
    }

    /// `None`: it has ended.
    pub(super) fn take_back(identity: Identity) -> Option<Process> {
        let process = Process::open(identity).ok()?;
        // Looked at after the pidfd was opened: from here on it cannot be another one.
        identity.is_alive().then_some(process)
    }

    // Tokio's other way in is unsafe, because a type may change what descriptor it holds; an
    // `OwnedFd` cannot.
    #[expect(deprecated)]
    fn open(identity: Identity) -> io::Result<Process> {
        let pid = Pid::from_raw(identity.pid).ok_or(io::ErrorKind::NotFound)?;
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)?;
        let pidfd = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
        Ok(Process {
            identity,
            pid,
            pidfd,
        })
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Signals the whole group; no harm when it is gone already.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process_group(self.pid, signal);
    }

    /// Waits for its end, ends what is left of its group, and tells how it ended.
    pub(super) async fn ended(&self) -> String {
        while let Ok(mut ready) = self.pidfd.readable().await {
            if self.is_over() {
                break;
            }
            ready.clear_ready();
        }
        // Before it is reaped: until then nobody else can be given the group's number.
        self.signal(Signal::KILL);
        match self.wait(WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(status)) => in_words(&status),
            _ => "exited; how is not known, because an earlier edge had started it".to_owned(),
        }
    }

    fn is_over(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match self.wait(look) {
            Ok(ended) => ended.is_some(),
            // Not a child of this edge.
            Err(_) => !self.identity.is_alive(),
        }
    }

    fn wait(&self, options: WaitIdOptions) -> rustix::io::Result<Option<WaitIdStatus>> {
        rustix::process::waitid(WaitId::PidFd(self.pidfd.get_ref().as_fd()), options)
    }
}

fn in_words(status: &WaitIdStatus) -> String {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (_, Some(signal)) => format!("killed by signal {signal}"),
        _ => "exited".to_owned(),
    }
}

impl Identity {
    pub(super) fn is_alive(self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.started == self.started && !stat.is_zombie)
    }
}

/// What `/proc/PID/stat` tells.
struct Stat {
    is_zombie: bool,
    group: i32,
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Stat> {
        Stat::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The second field is the program's name in parentheses, which may hold anything.
    fn parse(text: &str) -> Option<Stat> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Stat {
            is_zombie: *fields.first()? == "Z",
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

/// A running process that carries a marker.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) identity: Identity,
    pub(super) leads_its_group: bool,
    pub(super) marker: String,
    pub(super) port: Option<u16>,
}

/// The variable that marks a replica's processes.
pub(super) const MARKER: &str = "AGENTCTL_INSTANCE";

/// This user's running processes whose marker begins so.
pub(super) fn find(prefix: &str) -> io::Result<Vec<Found>> {
    let pids = std::fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(|pid| found(pid, prefix)).collect())
}

fn found(pid: i32, prefix: &str) -> Option<Found> {
    let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let marker = variable(&environ, MARKER).filter(|marker| marker.starts_with(prefix))?;
    let stat = Stat::of(pid).filter(|stat| !stat.is_zombie)?;
    Some(Found {
        identity: Identity {
            pid,
            started: stat.started,
        },
        leads_its_group: stat.group == pid,
        marker,
        port: variable(&environ, "PORT").and_then(|port| port.parse().ok()),
    })
}

fn variable(environ: &[u8], name: &str) -> Option<String> {
    let mut pairs = environ.split(|&byte| byte == 0);
    let value = pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_past_a_program_name_with_parentheses() {
        let line = "42 (a) b (c)) S 1 40 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1";
        let stat = Stat::parse(line).unwrap();
        assert_eq!(
            (stat.is_zombie, stat.group, stat.started),
            (false, 40, 98765)
        );
    }

    #[test]
    fn variables_are_found_by_their_whole_name() {
        let environ = b"XPORT=1\0PORTS=2\0PORT=3\0";
        assert_eq!(variable(environ, "PORT").unwrap(), "3");
        assert_eq!(variable(environ, "ORT"), None);
    }

    #[tokio::test]
    async fn an_end_is_told_in_words() {
        for (script, says) in [
            ("exit 3", "exited with status 3"),
            ("kill -9 $$", "killed by signal 9"),
        ] {
            let process = Process::start(Command::new("sh").args(["-c", script])).unwrap();
            assert_eq!(process.ended().await, says);
        }
    }

    #[tokio::test]
    async fn a_process_is_taken_back_only_while_it_is_the_same_one() {
        let first = Process::start(Command::new("sleep").arg("1000")).unwrap();
        let identity = first.identity();
        let again = Process::take_back(identity).unwrap();
        assert!(
            Process::take_back(Identity {
                started: identity.started + 1,
                ..identity
            })
            .is_none()
        );
        again.signal(Signal::KILL);
        assert_eq!(first.ended().await, "killed by signal 9");
        assert!(Process::take_back(identity).is_none());
    }

    #[tokio::test]
    async fn what_is_no_child_is_over_when_it_has_ended() {
        let pid = i32::try_from(std::os::unix::process::parent_id()).unwrap();
        let started = Stat::of(pid).unwrap().started;
        let parent = Process::take_back(Identity { pid, started }).unwrap();
        assert!(!parent.is_over());
    }

    #[tokio::test]
    async fn what_is_left_of_a_group_ends_with_its_leader() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("pid");
        let script = format!("sleep 1000 & echo $! > {}", pid_file.display());
        let leader = Process::start(Command::new("sh").args(["-c", &script])).unwrap();
        leader.ended().await;
        let pid: i32 = std::fs::read_to_string(&pid_file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        while Stat::of(pid).is_some_and(|stat| !stat.is_zombie) {
            tokio::task::yield_now().await;
        }
    }
}
