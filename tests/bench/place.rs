//! A place of its own for each figure: a folder with an agent, a state folder, and the real binary.
//! Whatever was started in it is stopped when it is dropped.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

use crate::cluster::Namespace;
use crate::{clusters, engine};

/// Longer than anything here takes; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Place {
    dir: tempfile::TempDir,
    pub(crate) port: u16,
    site: Site,
}

/// What its agent runs in; all but processes is its environment `prod`.
enum Site {
    Processes,
    /// Under a name of its own.
    Host(String),
    /// From this image.
    Cluster(Namespace, String),
}

impl Site {
    fn agent(&self) -> &str {
        match self {
            Self::Host(name) => name,
            _ => "bot",
        }
    }

    /// Not empty where no edge drains the agent before it is told to end.
    fn leaves(&self) -> &str {
        match self {
            Self::Cluster(..) => "1",
            _ => "",
        }
    }

    /// The lines of agent.toml that say so.
    fn lines(&self) -> String {
        match self {
            Self::Processes => String::new(),
            Self::Host(_) => "[build]\nruntime = \"dockerfile\"\n\n[environments.prod]\n\
                 target = { docker = { listen = \"127.0.0.1\" } }\n"
                .to_owned(),
            Self::Cluster(namespace, image) => format!(
                "[image]\nimage = \"{image}\"\n\n[environments.prod]\n\
                 target = {{ kubernetes = {{ namespace = \"{}\" }} }}\n",
                namespace.name
            ),
        }
    }
}

/// Of this program.
pub(crate) const DOCKERFILE: &str = r#"FROM python:3.13-slim
ENV HOST=0.0.0.0
COPY program /program
CMD ["/program", "agent"]
"#;

/// What of agent.toml differs between figures.
pub(crate) struct Spec<'a> {
    pub(crate) replicas: u32,
    /// Part of the release's identity and of nothing else: another value is another release.
    pub(crate) value: u64,
    /// Seconds until a replica says that it is ready.
    pub(crate) ready_after: f64,
    /// What this program is started as by a replica.
    pub(crate) role: &'a str,
    /// The lines of `[rollout]`.
    pub(crate) rollout: &'a str,
}

impl Default for Spec<'_> {
    fn default() -> Self {
        Self {
            replicas: 1,
            value: 0,
            ready_after: 0.0,
            role: "agent",
            rollout: "",
        }
    }
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        fs::create_dir(dir.path().join("project"))?;
        let port = free_port()?;
        Ok(Self {
            dir,
            port,
            site: Site::Processes,
        })
    }

    /// With this deployed on the machine's engine.
    pub(crate) fn on_a_host(spec: &Spec) -> Result<Self> {
        let mut place = Self::new()?;
        place.site = Site::Host(format!("figures-{}", std::process::id()));
        place.write_image()?;
        place.spec(spec)?;
        place.run(&["deploy"])?.ends_well()?;
        Ok(place)
    }

    /// With this deployed in the tests' cluster; `None`: there is none.
    pub(crate) fn in_a_cluster(spec: &Spec) -> Result<Option<Self>> {
        let Some(namespace) = Namespace::new("figures") else {
            return Ok(None);
        };
        let mut place = Self::new()?;
        place.write_image()?;
        let image = namespace.cluster.push("figures", &place.project());
        place.site = Site::Cluster(namespace, image);
        place.port = 8000;
        place.spec(spec)?;
        place.run(&["deploy"])?.ends_well()?;
        Ok(Some(place))
    }

    fn write_image(&self) -> Result<()> {
        fs::copy(std::env::current_exe()?, self.project().join("program"))?;
        Ok(fs::write(self.project().join("Dockerfile"), DOCKERFILE)?)
    }

    pub(crate) fn namespace(&self) -> Result<&Namespace> {
        match &self.site {
            Site::Cluster(namespace, _) => Ok(namespace),
            _ => bail!("it is in no cluster"),
        }
    }

    pub(crate) fn image(&self) -> &str {
        match &self.site {
            Site::Cluster(_, image) => image,
            _ => "",
        }
    }

    /// Where its users reach it.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        match &self.site {
            Site::Cluster(namespace, _) => clusters::address(namespace, "bot"),
            _ => Ok(here(self.port)),
        }
    }

    /// With this deployed.
    pub(crate) fn with(spec: &Spec) -> Result<Self> {
        let place = Self::new()?;
        place.spec(spec)?;
        place.run(&["deploy"])?.ends_well()?;
        Ok(place)
    }

    /// Writes agent.toml anew.
    pub(crate) fn spec(&self, spec: &Spec) -> Result<()> {
        let program = std::env::current_exe()?;
        let (name, more) = (self.site.agent(), self.site.lines());
        let program = match self.site {
            Site::Cluster(..) => PathBuf::from("/program"),
            _ => program,
        };
        let text = format!(
            r#"[agent]
name = "{name}"

[run]
command = ["{}", "{}"]
files = ["agent.toml"]
port = {}
replicas = {}
env = {{ VALUE = "{}", READY_AFTER = "{}", LEAVES = "{}" }}

[health]
ready = "/ready"
every = "1s"

[drain]
grace = "60s"
conversations = "60s"
idle = "2s"
key = ["header:X-Conversation-Id"]

[rollback]
max_per_hour = 1000

[rollout]
{}
{more}"#,
            program.display(),
            spec.role,
            self.port,
            spec.replicas,
            spec.value,
            spec.ready_after,
            self.site.leaves(),
            spec.rollout
        );
        Ok(fs::write(self.project().join("agent.toml"), text)?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state/agentctl/bot")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentctl"));
        command
            .args(args)
            .current_dir(self.project())
            .env("XDG_STATE_HOME", self.dir.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !matches!(self.site, Site::Processes) {
            command.args(["-e", "prod"]);
        }
        if let Site::Cluster(namespace, _) = &self.site {
            command.env("KUBECONFIG", &namespace.cluster.kubeconfig);
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Result<Ran> {
        finish(&mut self.command(args))
    }

    /// In the background.
    pub(crate) fn start(&self, args: &[&str]) -> Result<Running> {
        Ok(Running::new(self.command(args).spawn()?, Signal::KILL))
    }

    pub(crate) fn status(&self) -> Result<Value> {
        let ran = self.run(&["status", "--output", "json"])?.ends_well()?;
        serde_json::from_str(&ran.stdout).with_context(|| format!("status said {}", ran.stdout))
    }

    /// What the edge says of itself, over its control socket.
    pub(crate) fn edge(&self) -> Result<Value> {
        let mut stream = UnixStream::connect(self.state().join("edge.sock"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /state HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        let start = reply.find('{').context("the edge gave no state")?;
        let mut states = serde_json::Deserializer::from_str(&reply[start..]).into_iter();
        Ok(states.next().context("the edge gave no state")??)
    }

    /// The replicas that are alive, by process id.
    pub(crate) fn replica_pids(&self) -> Result<Vec<u32>> {
        let mut pids: Vec<u32> = replicas(&self.edge()?)
            .filter_map(|replica| as_pid(&replica["pid"]))
            .collect();
        pids.sort_unstable();
        Ok(pids)
    }

    pub(crate) fn edge_pid(&self) -> Result<u32> {
        as_pid(&self.edge()?["pid"]).context("the edge does not tell its process id")
    }

    fn pids(&self) -> Vec<u32> {
        let edge = self.edge_pid().into_iter();
        edge.chain(self.replica_pids().unwrap_or_default())
            .collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match &self.site {
            Site::Host(name) => {
                engine::clear(&format!("{name}_prod"));
                return engine::forget(name);
            }
            // Goes with its namespace.
            Site::Cluster(..) => return,
            Site::Processes => {}
        }
        if !self.state().exists() {
            return;
        }
        let pids = self.pids();
        let stopped = self.run(&["stop", "--now"]).and_then(Ran::ends_well);
        if stopped.is_err() {
            for pid in pids {
                let _ = kill(pid);
            }
        }
    }
}

pub(crate) fn replicas(edge: &Value) -> impl Iterator<Item = &Value> {
    let pools = edge["pools"].as_object().into_iter();
    pools
        .flat_map(|pools| pools.values())
        .flat_map(|pool| pool["replicas"].as_array().into_iter().flatten())
}

fn as_pid(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// What a run of agentctl printed, how it ended and how long it took.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn ends_well(self) -> Result<Self> {
        ensure!(self.code == Some(0), "agentctl failed: {}", self.words());
        Ok(self)
    }

    pub(crate) fn words(&self) -> String {
        let ended = self
            .code
            .map_or("a signal".to_owned(), |code| code.to_string());
        let (stdout, stderr) = (self.stdout.trim(), self.stderr.trim());
        format!("ended with {ended}: {stdout} {stderr}")
    }
}

/// A process that is told to end, and waited for, when nobody waits for it any more.
pub(crate) struct Running {
    child: Option<Child>,
    end: Signal,
}

impl Running {
    pub(crate) fn new(child: Child, end: Signal) -> Self {
        let child = Some(child);
        Self { child, end }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn is_over(&mut self) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => true,
        }
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child
            .as_mut()
            .map_or(Ok(()), |child| Ok(child.kill()?))
    }

    /// What it printed and how it ended.
    pub(crate) fn wait(mut self) -> Result<Ran> {
        wait(self.child.take().context("it was waited for already")?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take()
            && let Ok(pid) = process(child.id())
        {
            let _ = kill_process(pid, self.end);
            let _ = child.wait();
        }
    }
}

/// Runs it from its start to its end.
pub(crate) fn finish(command: &mut Command) -> Result<Ran> {
    let started = Instant::now();
    let ran = wait(command.spawn()?)?;
    let took = started.elapsed();
    Ok(Ran { took, ..ran })
}

/// Waits for its end; what hangs is killed.
fn wait(child: Child) -> Result<Ran> {
    let started = Instant::now();
    let pid = child.id();
    let (done, ended) = mpsc::channel::<()>();
    let watchdog = thread::spawn(move || {
        if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(pid);
        }
    });
    let output = child.wait_with_output();
    let took = started.elapsed();
    drop(done);
    let _ = watchdog.join();
    Ok(ran(output?, took))
}

fn ran(output: Output, took: Duration) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took,
    }
}

pub(crate) fn here(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Looks again and again until there is something; processes and files tell nobody.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let started = Instant::now();
    loop {
        match look() {
            Some(found) => return Ok(found),
            None if started.elapsed() > PATIENCE => bail!("{what} did not come true"),
            None => thread::park_timeout(Duration::from_micros(200)),
        }
    }
}

pub(crate) fn kill(pid: u32) -> Result<()> {
    Ok(kill_process(process(pid)?, Signal::KILL)?)
}

pub(crate) fn is_alive(pid: u32) -> bool {
    process(pid).is_ok_and(|pid| test_kill_process(pid).is_ok())
}

fn process(pid: u32) -> Result<Pid> {
    Pid::from_raw(pid.try_into()?).context("0 is no process")
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
