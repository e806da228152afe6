//! An engine that is elsewhere: in namespaces of its own, with one way for the engine's users and
//! one for the agent's. It may be killed, and its way cut, without harm to anybody else.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::engine::{PYTHON, base, docker, run, skipped};

const PORT: u16 = 2375;
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Far {
    folder: tempfile::TempDir,
    /// Holds the namespaces.
    anchor: Child,
    engine: Option<Child>,
    number: u32,
    options: Vec<String>,
}

impl Far {
    /// `None`: it cannot be had here, which is said.
    pub(crate) fn start(options: &[&str]) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            skipped("only root can start an engine elsewhere");
            return None;
        }
        let number = (std::process::id() * 7 + NEXT.fetch_add(1, Ordering::Relaxed)) % 250;
        let hold = "mount -t tmpfs none /run && echo ready && exec sleep 86400";
        let mut anchor = Command::new("unshare");
        anchor.args(["--net", "--mount", "sh", "-c", hold]);
        let anchor = anchor.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut far = Self {
            folder: tempfile::tempdir().unwrap(),
            anchor: anchor.unwrap(),
            engine: None,
            number,
            options: options.iter().map(|&option| option.to_owned()).collect(),
        };
        let mut ready = [0; 6];
        let mut said = far.anchor.stdout.take().unwrap();
        std::io::Read::read_exact(&mut said, &mut ready).unwrap();
        far.make_ways();
        far.begin();
        let tar = base().unwrap().display().to_string();
        far.docker(&["import", &tar, PYTHON[1]]).unwrap();
        Some(far)
    }

    /// `DOCKER_HOST`
    pub(crate) fn engine(&self) -> String {
        format!("tcp://{}:{PORT}", self.address(0))
    }

    /// Where what is published there is reached, whatever becomes of the engine's way.
    pub(crate) fn host(&self) -> String {
        self.address(1)
    }

    fn address(&self, way: usize) -> String {
        format!("10.{}.{}.2", 213 + way, self.number)
    }

    fn link(&self, way: usize) -> String {
        format!("far{}-{way}", self.number)
    }

    fn make_ways(&self) {
        for way in [0, 1] {
            let (here, there) = (self.link(way), format!("way{way}"));
            let anchor = self.anchor.id().to_string();
            let near = format!("10.{}.{}.1/30", 213 + way, self.number);
            let far = format!("{}/30", self.address(way));
            let peer = ["type", "veth", "peer", "name", &there, "netns", &anchor];
            ip(&[&["link", "add", here.as_str()], peer.as_slice()].concat());
            ip(&["address", "add", &near, "dev", &here]);
            ip(&["link", "set", &here, "up"]);
            self.inside(&["ip", "address", "add", &far, "dev", &there]);
            self.inside(&["ip", "link", "set", &there, "up"]);
        }
        self.inside(&["ip", "link", "set", "lo", "up"]);
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        let anchor = self.anchor.id().to_string();
        command.args(["--target", &anchor, "--net", "--mount"]);
        command
    }

    fn inside(&self, args: &[&str]) {
        run(self.enter().args(args)).unwrap();
    }

    /// Starts the engine, again if it was killed, and waits until it answers.
    pub(crate) fn begin(&mut self) {
        let place = |name: &str| self.folder.path().join(name).display().to_string();
        fs::write(place("config"), "{}").unwrap();
        let driver = docker(&["info", "--format={{.Driver}}"]).unwrap_or("vfs".to_owned());
        let mut log = fs::File::options();
        let log = log.create(true).append(true).open(place("log")).unwrap();
        let pool = "--default-address-pool";
        let has_pool = self.options.iter().any(|option| option.starts_with(pool));
        let pools: &[&str] = if has_pool {
            &[]
        } else {
            &[pool, "base=10.215.0.0/16,size=26"]
        };
        let mut command = self.enter();
        command
            .args([&["dockerd"], pools].concat())
            .args(["--host", "unix:///run/docker.sock", "--tls=false"])
            .args(["--host", &format!("tcp://0.0.0.0:{PORT}")])
            .args([
                "--config-file",
                &place("config"),
                "--data-root",
                &place("data"),
            ])
            .args(["--storage-driver", &driver])
            .args(&self.options)
            .stderr(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.engine = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while self.docker(&["version"]).is_err() {
            let log = fs::read_to_string(place("log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "it does not answer: {log}");
            std::thread::yield_now();
        }
    }

    /// At once, as a machine would that runs out of memory.
    pub(crate) fn kill(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            engine.kill().unwrap();
            engine.wait().unwrap();
            // Its own containerd dies with it, and may not be buried before somebody looks.
            let bury =
                "cd /run/docker/containerd && kill -9 $(cat containerd.pid); rm containerd.pid";
            let _ = run(self.enter().args(["sh", "-c", bury]));
        }
    }

    /// Whether anything gets to the engine; the agent's users have a way of their own.
    pub(crate) fn is_reached(&self, is: bool) {
        ip(&["link", "set", &self.link(0), if is { "up" } else { "down" }]);
    }

    pub(crate) fn docker(&self, args: &[&str]) -> Result<String, String> {
        docker(&[&["--host", &self.engine()], args].concat())
    }

    fn end(&mut self) {
        let Some(mut engine) = self.engine.take() else {
            return;
        };
        let all = self.docker(&["ps", "-aq"]).unwrap_or_default();
        let all: Vec<_> = all.lines().collect();
        if !all.is_empty() {
            let _ = self.docker(&[&["rm", "-f"], all.as_slice()].concat());
        }
        if let Some(pid) = rustix::process::Pid::from_raw(engine.id() as i32) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = engine.wait();
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = run(Command::new("ip").args(["link", "set", &self.link(0), "up"]));
        self.end();
        let _ = self.anchor.kill();
        let _ = self.anchor.wait();
        for way in [0, 1] {
            let _ = run(Command::new("ip").args(["link", "delete", &self.link(way)]));
        }
        unmount_below(self.folder.path());
    }
}

/// What an engine leaves mounted that was killed.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let prefix = folder.display().to_string();
    for place in places.filter(|place| place.starts_with(&prefix)) {
        let _ = run(Command::new("umount").args(["--lazy", place]));
    }
}

fn ip(args: &[&str]) {
    run(Command::new("ip").args(args)).unwrap();
}
