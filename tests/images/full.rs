//! An engine whose disk is full: one of the test's own, on a small disk of its own.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::workshop::Workshop;
use crate::support::engine::{docker, skipped};
use crate::support::eventually;
use crate::support::registry::Wanted;

const SIZE: &str = "size=48m";
const TOO_MUCH: u64 = 64 << 20;

struct SmallEngine {
    dir: tempfile::TempDir,
    process: Option<Child>,
}

impl SmallEngine {
    fn start() -> Self {
        let engine = Self {
            dir: tempfile::tempdir().unwrap(),
            process: None,
        };
        fs::create_dir(engine.dir.path().join("data")).unwrap();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(engine.dir.path().join("data")));
        engine.started()
    }

    /// In a network of its own: without a bridge it would take away that of the machine's engine.
    fn started(mut self) -> Self {
        let log = File::create(self.dir.path().join("log")).unwrap();
        let settings = self.dir.path().join("daemon.json");
        fs::write(settings, "{}").unwrap();
        let mut dockerd = Command::new("unshare");
        dockerd.args(["--net", "dockerd"]);
        for (option, name) in [
            ("--config-file", "daemon.json"),
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "pid"),
        ] {
            dockerd.arg(option).arg(self.dir.path().join(name));
        }
        let process = dockerd
            .args(["--host", &self.host(), "--storage-driver", "vfs"])
            .args(["--bridge", "none", "--iptables=false"])
            .args(["--containerd-namespace", "agentctl-tests"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
        let host = self.host();
        eventually("the engine answered", || {
            docker(&["-H", &host, "version"]).is_ok()
        });
        self
    }

    fn host(&self) -> String {
        format!("unix://{}", self.dir.path().join("sock").display())
    }
}

impl Drop for SmallEngine {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = kill_process(Pid::from_child(&process), Signal::TERM);
            let _ = process.wait();
        }
        unmount(&self.dir.path().join("data"));
    }
}

fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(folder).output();
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_engine_without_room() {
    let Some(shop) = Workshop::open(Wanted::default(), "") else {
        return;
    };
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can start an engine on a disk of its own");
    }
    let small = SmallEngine::start();
    let text = File::create(shop.place.path("text")).unwrap();
    text.set_len(TOO_MUCH).unwrap();
    for kit in ["1", "0"] {
        let mut push = shop.command(&["push", "-q"]);
        push.env("DOCKER_HOST", small.host());
        push.env("DOCKER_BUILDKIT", kit);
        let ran = shop.place.finish(&mut push).ends(2);
        eprintln!("{}", ran.stderr);
        let ran = ran.says("error: could not build 127.0.0.1:");
        let ran = ran.says("no space left on device");
        ran.says("hint: make room on the engine's disk: docker system df says what takes it");
        let images = docker(&["-H", &small.host(), "image", "ls", "-q"]);
        assert_eq!(images.as_deref(), Ok(""));
        assert_eq!(shop.in_registry(), Vec::<String>::new());
    }
}
