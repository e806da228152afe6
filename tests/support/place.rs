//! The folder, the agent.toml in it, and agentctl as it is run there.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::background::Background;
use super::ran::{Mask, Ran, mask};
use super::{eventually, kill, processes, repository};

/// Half of the traffic for an hour: it stands there until something happens.
pub(crate) const CANARY: &str = r#"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "1h" }, { weight = 100 }]
"#;

/// What would make a run here differ from one elsewhere.
const OF_THE_MACHINE: [&str; 9] = [
    "LC_ALL",
    "LC_CTYPE",
    "NO_COLOR",
    "CI",
    "GITHUB_SERVER_URL",
    "CI_JOB_URL",
    "BUILD_URL",
    "COLUMNS",
    "CLICOLOR_FORCE",
];

pub(crate) struct Place {
    dir: tempfile::TempDir,
    pub(crate) port: u16,
    runs: AtomicU32,
}

impl Place {
    /// With the test agent in it, and a short agent.toml with `more` in it.
    pub(crate) fn new(more: &str) -> Self {
        let place = Self::empty();
        let agent = repository().join("tests/agents/agent.py");
        fs::copy(agent, place.path("agent.py")).unwrap();
        place.spec(more);
        place
    }

    /// The same, and deployed.
    #[track_caller]
    pub(crate) fn deployed(more: &str) -> Self {
        let place = Self::new(more);
        place.run(&["deploy"]).ends(0);
        place
    }

    pub(crate) fn empty() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            port: free_port(),
            runs: AtomicU32::new(0),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state/agentctl/bot")
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes agent.toml anew; what `more` says itself is not said before it.
    pub(crate) fn spec(&self, more: &str) {
        let port = self.port;
        let usual = [
            r#"agent.name = "bot""#,
            r#"run.command = ["python3", "agent.py"]"#,
            r#"run.files = ["agent.py"]"#,
            &format!("run.port = {port}"),
            r#"health.ready = "/ready""#,
            r#"health.every = "100ms""#,
            r#"drain.grace = "2s""#,
            r#"drain.idle = "1s""#,
            r#"drain.key = ["header:X-Conversation-Id"]"#,
        ];
        let said = |line: &&str| {
            let key = line.split(" = ").next().unwrap();
            let mut keys = more.lines().take_while(|line| !line.starts_with('['));
            keys.any(|line| line.split(" = ").next() == Some(key))
        };
        let usual: Vec<_> = usual.into_iter().filter(|line| !said(line)).collect();
        self.write("agent.toml", usual.join("\n") + "\n" + more);
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_agentctl"));
        command.args(args);
        command
    }

    /// Any program, as one who sits here runs it.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("TZ", "UTC")
            .env("LANG", "C.UTF-8")
            .env("USER", "tester")
            .stdin(Stdio::null());
        for name in OF_THE_MACHINE {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.finish(&mut self.command(args))
    }

    pub(crate) fn finish(&self, command: &mut Command) -> Ran {
        let ended = command.output().unwrap();
        Ran::new(
            ended.status.code(),
            &ended.stdout,
            &ended.stderr,
            self.mask(),
        )
    }

    /// In the background, its output in files.
    pub(crate) fn start(&self, args: &[&str]) -> Background {
        self.spawn(&mut self.command(args))
    }

    pub(crate) fn spawn(&self, command: &mut Command) -> Background {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let [out, err] = ["out", "err"].map(|name| self.path(&format!("background-{run}.{name}")));
        let child = command
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        let mask = self.mask();
        Background {
            child,
            out,
            err,
            mask,
        }
    }

    /// What agent.toml says with `more`, as far as its deploy says this.
    #[track_caller]
    pub(crate) fn deploy_until(&self, more: &str, says: &str) -> Background {
        self.spec(more);
        let deploy = self.start(&["deploy"]);
        deploy.until(says);
        deploy
    }

    fn mask(&self) -> Mask {
        mask(self.dir.path(), self.port)
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        let ran = self.run(&["status", "--output", "json"]).ends(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// How every rollout ended, the last one first.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let ran = self.run(&["history", "--output", "json"]).ends(0);
        let history: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let rollouts = history["rollouts"].as_array().unwrap().iter();
        rollouts
            .map(|rollout| rollout["outcome"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How many events of this rollout are written down.
    pub(crate) fn records(&self, rollout: u64) -> usize {
        self.journal(rollout).matches('\n').count()
    }

    /// Empty before there is one.
    fn journal(&self, rollout: u64) -> String {
        let journal = self.state().join(format!("rollouts/{rollout:04}.journal"));
        fs::read_to_string(journal).unwrap_or_default()
    }

    /// Waits until a rollout's journal says this.
    #[track_caller]
    pub(crate) fn until_written(&self, rollout: u64, says: &str) {
        eventually(says, || self.journal(rollout).contains(says));
    }

    /// Every file of the state, with what is in it.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.path("state"), &mut files);
        files.sort();
        files
    }

    /// How many files of the state a command wrote: the edge's own come and go each second.
    pub(crate) fn kept(&self) -> usize {
        let own = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let name = name.trim_start_matches('.');
            name.starts_with("edge.") || name.starts_with("counts.")
        };
        self.files().iter().filter(|(path, _)| !own(path)).count()
    }

    /// Every process that agentctl runs for this place: edges and replicas.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        processes::of_folder(&self.path("state"))
    }

    /// The pids of the replicas.
    pub(crate) fn replicas(&self) -> Vec<u32> {
        let all = self.processes().into_iter();
        all.filter(|(_, line)| !line.starts_with(env!("CARGO_BIN_EXE_agentctl")))
            .map(|(pid, _)| pid)
            .collect()
    }

    #[track_caller]
    pub(crate) fn edge(&self) -> u32 {
        let edge = format!("{} edge ", env!("CARGO_BIN_EXE_agentctl"));
        let all = self.processes();
        let found = all.iter().find(|(_, line)| line.starts_with(&edge));
        found.unwrap_or_else(|| panic!("no edge: {all:?}")).0
    }

    fn stop_all(&self) {
        let sites = fs::read_dir(self.path("state/agentctl"));
        for site in sites.into_iter().flatten().flatten() {
            let name = site.file_name().into_string().unwrap();
            let (agent, environment) = name.split_once('.').unwrap_or((&name, ""));
            let mut args = vec!["stop", "--now", "--agent", agent];
            if !environment.is_empty() {
                args.extend(["-e", environment]);
            }
            self.run(&args);
        }
    }
}

impl Drop for Place {
    /// A test that passed shows by the way that `stop` leaves nothing running.
    fn drop(&mut self) {
        self.stop_all();
        if !std::thread::panicking() {
            eventually("everything stopped", || self.processes().is_empty());
        }
        for (pid, _) in self.processes() {
            kill(pid);
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            // What the edge writes beside its old self may have taken its place by now.
            let bytes = fs::read(entry.path()).ok();
            files.extend(bytes.map(|bytes| (entry.path(), bytes)));
        }
    }
}

/// One of those that no connection is given by itself, or somebody's would have it by the time that it
/// is listened on. Each is given once by this process; others begin elsewhere.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 10_000;
    const SOME: u32 = 9_000;
    let start = std::process::id().wrapping_mul(131);
    loop {
        let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % SOME;
        let port = (FIRST + number) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
