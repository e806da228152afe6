//! A place of its own for each test: a folder with an agent, a state folder, and the real binary.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run of agentctl printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "{text:?} was not said: {self:#?}");
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub struct Place {
    dir: tempfile::TempDir,
    pub port: u16,
}

impl Place {
    /// With the test agent in it, and a short agent.toml that `more` is added to.
    pub fn new(more: &str) -> Self {
        let place = Self::empty();
        fs::copy("tests/agents/agent.py", place.path("agent.py")).unwrap();
        place.spec(more);
        place
    }

    pub fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        Self { dir, port }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state/agentctl/bot")
    }

    /// Writes agent.toml anew.
    pub fn spec(&self, more: &str) {
        let port = self.port;
        let text = format!(
            r#"[agent]
name = "bot"

[run]
command = ["python3", "agent.py"]
files = ["agent.py"]
port = {port}

[health]
ready = "/ready"
every = "200ms"

[drain]
grace = "2s"
idle = "1s"
key = ["header:X-Conversation-Id"]

{more}"#
        );
        fs::write(self.path("agent.toml"), text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentctl"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("TZ", "UTC")
            .env_remove("NO_COLOR")
            .env_remove("CI")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// In the background, its output in files.
    pub fn start(&self, args: &[&str]) -> Child {
        let log = fs::File::create(self.path("background.log")).unwrap();
        self.command(args)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    pub fn background_log(&self) -> String {
        fs::read_to_string(self.path("background.log")).unwrap_or_default()
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// One request on a connection of its own: status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.get_in(path, None)
    }

    pub fn get_in(&self, path: &str, conversation: Option<&str>) -> (u16, String) {
        let key = conversation
            .map(|key| format!("X-Conversation-Id: {key}\r\n"))
            .unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: bot\r\n{key}Connection: close\r\n\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let status = reply.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = reply
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        (status.unwrap_or(0), body.unwrap_or_default())
    }

    /// The field of a reply of the test agent.
    pub fn ask(&self, field: &str) -> String {
        let (status, body) = self.get("/");
        assert_eq!(status, 200, "{body}");
        field_of(&body, field)
    }

    /// The edge's state, over its control socket.
    pub fn status(&self) -> serde_json::Value {
        let ran = self.run(&["status", "--output", "json"]).ends(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    pub fn edge_pid(&self) -> u32 {
        let reply = self.control("GET /state HTTP/1.1");
        let body = reply.split_once("\r\n\r\n").unwrap().1;
        let start = body.find('{').unwrap();
        let mut states = serde_json::Deserializer::from_str(&body[start..]).into_iter();
        let state: serde_json::Value = states.next().unwrap().unwrap();
        state["pid"].as_u64().unwrap() as u32
    }

    fn control(&self, request: &str) -> String {
        let socket = self.state().join("edge.sock");
        let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
        write!(
            stream,
            "{request}\r\nHost: edge\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.path("state").is_dir() {
            let names = fs::read_dir(self.path("state/agentctl"));
            for name in names.into_iter().flatten().flatten() {
                let name = name.file_name().into_string().unwrap();
                let (agent, environment) = name.split_once('.').unwrap_or((&name, ""));
                let mut args = vec!["stop", "--now", "--agent", agent];
                if !environment.is_empty() {
                    args.extend(["-e", environment]);
                }
                self.run(&args);
            }
        }
    }
}

pub fn field_of(json: &str, field: &str) -> String {
    let reply: serde_json::Value = serde_json::from_str(json).unwrap();
    match &reply[field] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Looks again and again until it holds; there is nothing to be told by when processes change.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come true");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
