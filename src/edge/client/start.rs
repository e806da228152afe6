//! Starting an edge in the background, and giving the place of one to another.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::{Edge, Way, dial, nobody_is_there};
use crate::advice::advice;
use crate::edge::home::Home;
use crate::edge::launch::PRIVATE;
use crate::edge::{logs, program};

const START_WITHIN: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(2);

impl Edge {
    /// Starts `executable edge --state DIR` in the background unless one runs, and waits until it
    /// answers.
    pub(crate) async fn start(state_dir: &Path, executable: &Path) -> Result<Edge> {
        if let Some(edge) = Edge::connect(state_dir).await? {
            return Ok(edge);
        }
        let home = Home::make(state_dir)?;
        let mut child = launch(&home, executable, &[])?;
        let answered = tokio::time::timeout(START_WITHIN, wait(&home, &mut child)).await;
        answered.unwrap_or_else(|_| Err(silent(&home, "it does not answer")))
    }

    /// One of this program: one of another, that is not newer, gives its place to it.
    pub(crate) async fn renew(self, state_dir: &Path, executable: &Path) -> Result<Edge> {
        let program = program::name_of(executable)?;
        if !self.state().await?.is_to_give_way(&program) {
            return Ok(self);
        }
        let home = Home::make(state_dir)?;
        let mut child = launch(&home, executable, &["--succeed"])?;
        let renewed = self.becomes(&program, &home, &mut child);
        let renewed = tokio::time::timeout(START_WITHIN, renewed).await;
        renewed.unwrap_or_else(|_| Err(silent(&home, "it does not take over")))?;
        Ok(self)
    }

    async fn becomes(&self, program: &str, home: &Home, child: &mut Child) -> Result<()> {
        loop {
            let state = self.state().await.ok();
            if state.and_then(|state| state.program).as_deref() == Some(program) {
                return Ok(());
            }
            if let Some(status) = child.try_wait()? {
                bail!(silent(home, &format!("it ended with {status}")));
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// It is to outlive this command and whoever gave it, and is no part of a replica, even if that
/// is where the command was given.
fn launch(home: &Home, executable: &Path, more: &[&str]) -> Result<Child> {
    let log = logs::open(&home.log())
        .with_context(|| format!("cannot write {}", home.log().display()))?;
    let mut command = Command::new(executable);
    command
        .arg("edge")
        .arg("--state")
        .arg(home.dir())
        .args(more)
        .env(program::VARIABLE, program::name_of(executable)?)
        .current_dir("/");
    PRIVATE.iter().for_each(|name| {
        command.env_remove(name);
    });
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    // What this command inherited may be a pipe that somebody reads to its end.
    close_fds::set_fds_cloexec(3, &[]);
    command
        .spawn()
        .with_context(|| format!("cannot start {}", executable.display()))
}

/// The child ends well when another one was there first.
async fn wait(home: &Home, child: &mut Child) -> Result<Edge> {
    loop {
        match dial(home).await {
            Ok(_) => {
                let way = Way::Socket(home.clone());
                return Ok(Edge { way });
            }
            Err(error) if nobody_is_there(&error) => {}
            Err(error) => return Err(error).context("cannot reach the edge"),
        }
        if let Some(status) = child.try_wait()?.filter(|status| !status.success()) {
            bail!(silent(home, &format!("it ended with {status}")));
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// What the edge itself advised stands last in its log.
fn silent(home: &Home, why: &str) -> anyhow::Error {
    let end = logs::last_lines(&home.log(), 5);
    let log = home.log();
    let what = |end: &str| {
        format!(
            "the edge did not start: {why}; the end of {}:\n{end}",
            log.display()
        )
    };
    match end.rsplit_once("\nhint: ") {
        Some((end, hint)) if !hint.trim_end().contains('\n') => advice(what(end), hint.trim_end()),
        _ => anyhow!(what(&end)),
    }
}
