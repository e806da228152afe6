//! One shell for all commands of a page, in a fresh copy of the examples, with nothing deployed.

use std::fs;
use std::path::Path;
use std::process::{self, Stdio};

use super::page::{Command, Ran};
use crate::support::registry::{RealRegistry, Wanted};
use crate::support::{Place, copy, engine, free_port, repository};

/// Stands between what commands print; none of them prints it.
const MARK: char = '\u{1e}';

/// Who deploys, as the pages say.
const WHO: &str = "anna@laptop";

/// Where the page about images keeps them.
const KEPT_AT: &str = "localhost:5000";

/// Nothing of the base is on the page, and a small one is pushed at once.
const SMALL_BASE: (&str, &str) = (
    "runtime = \"python\"",
    "runtime = \"python\"\nversion = \"0.0\"",
);

/// So that a page takes seconds: (file, at its real pace, in a hurry).
const HURRY: [(&str, &str, &str); 4] = [
    ("agent.toml", "hold = \"10s\"", "hold = \"4s\""),
    ("agent.toml", "bake = \"10s\"", "bake = \"2s\""),
    ("talk.py", "default=0.25", "default=0.02"),
    (
        "app.py",
        "SECONDS_PER_WORD = 0.02",
        "SECONDS_PER_WORD = 0.002",
    ),
];

/// Where the page about scaling has its queue.
const QUEUE: &str = "6379";

pub(super) struct Session {
    place: Place,
    queue: String,
    registry: Option<RealRegistry>,
    is_on_docker: bool,
}

impl Session {
    pub(super) fn at_real_pace() -> Self {
        let place = Place::empty();
        copy(&repository().join("examples"), &place.path("examples"));
        let session = Self {
            place,
            queue: free_port().to_string(),
            registry: None,
            is_on_docker: false,
        };
        for file in ["agent.toml", "talk.py"] {
            session.replace(file, "8000", &session.place.port.to_string());
        }
        session
    }

    pub(super) fn in_a_hurry() -> Self {
        let session = Self::at_real_pace();
        for (file, from, to) in HURRY {
            session.replace(file, from, to);
        }
        session
    }

    /// The first example's agent.toml has this text too.
    pub(super) fn with(self, toml: &str) -> Self {
        let file = "examples/quickstart/agent.toml";
        let whole = self.place.read(file) + &toml.replace(QUEUE, &self.queue);
        self.place_file(file, &whole);
        self
    }

    /// The first example's agent.toml has this text too, and the registry that it names is there.
    pub(super) fn with_images(mut self, toml: &str) -> Self {
        self.registry = Some(RealRegistry::start(Wanted::default()));
        let (runtime, small) = SMALL_BASE;
        let toml = toml.replace(KEPT_AT, &self.kept_at());
        self.with(&toml.replace(runtime, small))
    }

    /// The first example's agent.toml has this text too, with an environment on this engine.
    pub(super) fn on_docker(mut self, toml: &str) -> Self {
        self.is_on_docker = true;
        let file = "examples/quickstart/agent.toml";
        self.place_file(file, &(self.place.read(file) + toml));
        self
    }

    fn kept_at(&self) -> String {
        let port = self.registry.as_ref().map(RealRegistry::port);
        port.map_or_else(|| KEPT_AT.to_owned(), |port| format!("localhost:{port}"))
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let path = self.place.path(&format!("examples/quickstart/{file}"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// What each command did, in the words of the page.
    pub(super) fn run(&self, commands: &[Command]) -> Vec<Ran> {
        self.place_file("session.sh", &self.script(commands));
        self.shell();
        let printed = fs::read_to_string(self.place.path("session.out")).unwrap();
        let printed = self.masked(&printed);
        let mut parts = printed.split(MARK);
        let mut ran = Vec::new();
        while let (Some(output), Some(code)) = (parts.next(), parts.next()) {
            let (output, code) = (output.to_owned(), code.parse().unwrap());
            ran.push(Ran { output, code });
        }
        ran
    }

    /// `$?` is what the command before ended with.
    fn script(&self, commands: &[Command]) -> String {
        let port = self.place.port.to_string();
        let commands = commands.iter().map(|command| {
            let text = command.text.replace("cargo run --release -- ", "agentctl ");
            let text = text.replace("8000", &port).replace(QUEUE, &self.queue);
            let text = text.replace("~/.local/state", "$XDG_STATE_HOME");
            format!("(exit $ended)\n{text}\nended=$?; printf '{MARK}%s{MARK}' $ended\n")
        });
        let commands: String = commands.collect();
        format!("exec >session.out 2>&1\nended=0\n{commands}kill $(jobs -p) 2>/dev/null\n")
    }

    fn shell(&self) {
        let mut shell = process::Command::new("timeout");
        shell
            .args(["--signal=KILL", "100", "bash", "session.sh"])
            .current_dir(self.place.path("."))
            .env("PATH", path())
            .env("XDG_STATE_HOME", self.place.path("state"))
            .env("USER", user())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        for name in [
            "CI",
            "GITHUB_SERVER_URL",
            "CI_JOB_URL",
            "BUILD_URL",
            "NO_COLOR",
        ] {
            shell.env_remove(name);
        }
        shell.status().unwrap();
    }

    fn place_file(&self, name: &str, text: &str) {
        fs::write(self.place.path(name), text).unwrap();
    }

    fn masked(&self, printed: &str) -> String {
        let state = self.place.path("state").display().to_string();
        let who = format!("{}@{}", user(), host());
        printed
            .replace(&state, "~/.local/state")
            .replace(&self.kept_at(), KEPT_AT)
            .replace(&self.place.port.to_string(), "8000")
            .replace(&self.queue, QUEUE)
            .replace(&who, WHO)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_on_docker {
            let file = "examples/quickstart/agent.toml";
            let destroy = ["destroy", "-f", file, "-e", "prod", "--yes", "--now"];
            let _ = self.place.command(&destroy).output();
            engine::forget("support-agent:*");
        }
        if self.registry.is_some() {
            engine::forget(&format!("{}/*/*", self.kept_at()));
        }
    }
}

fn host() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}

/// As long as it takes for the columns of a table to fit when `WHO` stands there.
fn user() -> String {
    let width = WHO.len().saturating_sub(host().len() + 1);
    format!("{:a<width$}", "anna")
}

/// With agentctl as it was built for this test in front.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_agentctl"));
    let folder = binary.parent().unwrap().display();
    format!("{folder}:{}", std::env::var("PATH").unwrap())
}
