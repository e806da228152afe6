//! A second engine on this machine, which has built nothing yet.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::engine::{self, docker};
use crate::support::eventually;

/// It ends when it is dropped.
pub(super) struct Second {
    pub(super) host: String,
    folder: tempfile::TempDir,
    process: Child,
}

impl Second {
    /// With `TINY`; `None`: nobody but root may start one, which is said.
    pub(super) fn start() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            engine::skipped("only root can start a second engine");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}", folder.path().join("socket").display());
        let process = dockerd(folder.path(), &host).spawn().unwrap();
        let second = Self {
            host,
            folder,
            process,
        };
        eventually("the second engine answers", || second.docker(&["version"]));
        let tar = second.folder.path().join("tar").display().to_string();
        docker(&["save", "-o", &tar, engine::TINY]).unwrap();
        assert!(second.docker(&["load", "-i", &tar]));
        Some(second)
    }

    fn docker(&self, args: &[&str]) -> bool {
        docker(&[&["--host", &self.host], args].concat()).is_ok()
    }
}

/// It shares the bridge with the other one: without a bridge it would take that one's away.
fn dockerd(folder: &Path, host: &str) -> Command {
    let place = |name| folder.join(name).display().to_string();
    fs::write(folder.join("config"), "{}").unwrap();
    let mut command = Command::new("dockerd");
    command
        .args([
            "--host",
            host,
            "--storage-driver=vfs",
            "--config-file",
            &place("config"),
        ])
        .args(["--data-root", &place("data"), "--exec-root", &place("exec")])
        .args(["--pidfile", &place("pid"), "--iptables=false"])
        .stderr(fs::File::create(folder.join("log")).unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

impl Drop for Second {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.process.wait();
    }
}
