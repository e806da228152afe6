//! One container that `docker-compose up -d` replaces.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use super::under_load;
use crate::engine::docker;
use crate::load::Counts;
use crate::place::{DOCKERFILE, eventually, finish, free_port};

/// The image of this program; it goes when it is dropped.
pub(super) struct Image {
    pub(super) name: String,
    pub(super) folder: tempfile::TempDir,
}

impl Image {
    pub(super) fn build(tool: &str) -> Result<Self> {
        let name = format!("figures-{tool}-{}", std::process::id());
        let folder = tempfile::tempdir()?;
        fs::copy(std::env::current_exe()?, folder.path().join("program"))?;
        fs::write(folder.path().join("Dockerfile"), DOCKERFILE)?;
        said(docker(&["build", "-q", "-t", &name, &shown(folder.path())]))?;
        Ok(Self { name, folder })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = docker(&["rmi", "-f", &self.name]);
    }
}

pub(super) fn said(ran: Result<String, String>) -> Result<String> {
    ran.map_err(|why| anyhow::anyhow!("{why}"))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Waits until it answers.
pub(super) fn answers(port: u16) -> Result<()> {
    eventually("an answer", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    })
    .map(drop)
}

pub(super) fn changes(times: u64) -> Result<(Counts, u64, Duration)> {
    let image = Image::build("compose")?;
    let port = free_port()?;
    let stack = Stack { image, port };
    stack.up(0)?;
    answers(port)?;
    under_load(port, |value| stack.up(value), times)
}

struct Stack {
    image: Image,
    port: u16,
}

impl Stack {
    fn up(&self, value: u64) -> Result<()> {
        let Self { image, port } = self;
        let text = format!(
            "version: \"3\"\nservices:\n  bot:\n    image: {}\n    ports: [\"127.0.0.1:{port}:{port}\"]\n    \
             environment: {{ PORT: \"{port}\", AGENT_RELEASE: \"r{value}\" }}\n    stop_grace_period: 10s\n",
            image.name
        );
        fs::write(image.folder.path().join("docker-compose.yml"), text)?;
        self.compose(&["up", "-d"])
    }

    fn compose(&self, args: &[&str]) -> Result<()> {
        let mut command = Command::new("docker-compose");
        command
            .args(["-p", &self.image.name])
            .args(args)
            .current_dir(self.image.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(&mut command)?.ends_well().map(drop)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-t", "1"]);
    }
}
