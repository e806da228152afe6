//! Whole edges with real replicas. This test binary plays all parts: `stand_in_edge` is the edge,
//! `stand_in_agent` a replica, each when its variable says so. Nothing here sleeps: tests wait
//! for what the edge tells.

mod crash;
mod orders;
mod replicas;
mod succession;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::api::{
    Drain, Health, Piece, Place, PoolState, Recipe, ScalePool, Standing, State, Stop,
};
use super::client::{Edge, Watch};

#[test]
fn stand_in_edge() {
    let Ok(dir) = std::env::var("TEST_EDGE") else {
        return;
    };
    let succeeds = std::env::var("TEST_SUCCEEDS").is_ok_and(|word| word == "--succeed");
    if let Err(error) = super::run(Path::new(&dir), None, succeeds) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

/// Answers 200 with its number, or 503 while there is a file `unready` or `dead` as asked for.
#[test]
fn stand_in_agent() {
    if std::env::var("TEST_AGENT").is_ok() {
        let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
        for stream in TcpListener::bind(("127.0.0.1", port)).unwrap().incoming() {
            let _ = answer(&mut stream.unwrap());
        }
    }
}

fn answer(stream: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let length = stream.read(&mut request)?;
    let request = String::from_utf8_lossy(&request[..length]);
    let path = request.split(' ').nth(1).unwrap_or("/");
    let status = if Path::new(path.trim_start_matches('/')).exists() {
        503
    } else {
        200
    };
    let body = std::env::var("AGENT_REPLICA").unwrap();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A state folder with an edge, which is ended with the test.
struct Stage {
    dir: TempDir,
    state: PathBuf,
    edge: Edge,
    pid: i32,
}

impl Stage {
    async fn new() -> Stage {
        Stage::below("state").await
    }

    async fn below(name: &str) -> Stage {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join(name);
        std::fs::create_dir(&state).unwrap();
        let edge = Edge::start(&state, &stand_in(dir.path())).await.unwrap();
        let pid = pid(&edge).await;
        Stage {
            dir,
            state,
            edge,
            pid,
        }
    }

    async fn start_again(&mut self) {
        self.edge = Edge::start(&self.state, &stand_in(self.dir.path()))
            .await
            .unwrap();
        self.pid = pid(&self.edge).await;
    }

    async fn kill_edge(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        while Edge::connect(&self.state).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    }

    async fn scale(&self, pool: &str, replicas: u32, recipe: &Recipe) -> State {
        let order = ScalePool {
            fence: 1,
            replicas,
            recipe: recipe.clone(),
        };
        self.edge.scale(pool, &order).await.unwrap()
    }

    async fn until(&self, what: impl Fn(&State) -> bool) -> State {
        let mut watch = self.edge.watch().await.unwrap();
        until(&mut watch, what).await
    }

    /// Runs the stand-in agent, from a script's last line if it is given one.
    fn recipe(&self, script: &str) -> Recipe {
        let agent = stand_in_command("stand_in_agent");
        let script = if script.is_empty() {
            format!("exec {agent}")
        } else {
            script.replace("AGENT", &agent)
        };
        let text = |text: &str| vec![Piece::Text(text.to_owned())];
        Recipe {
            place: Place::Folder(self.dir.path().to_owned()),
            command: vec![text("sh"), text("-c"), text(&script)],
            env: BTreeMap::from([("TEST_AGENT".to_owned(), text("yes"))]),
            health: Health {
                live: Some("/dead".into()),
                ready: Some("/unready".into()),
                is_mute: false,
                startup: None,
                startup_within: 20_000,
                every: 20,
                timeout: 5_000,
                failures: 2,
            },
            drain: Drain {
                grace: 5_000,
                conversations: 60_000,
                idle: 60_000,
            },
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.state.join("edge.log")).unwrap()
    }

    /// Ends everything, and sees that nothing is left.
    async fn end(self) {
        let mut watch = self.edge.watch().await.unwrap();
        self.edge
            .stop(&Stop {
                fence: u64::MAX,
                now: true,
            })
            .await
            .unwrap();
        while watch.next().await.unwrap().is_some() {}
        let home = super::home::Home::find(&self.state).unwrap();
        while home.socket().exists() {
            tokio::task::yield_now().await;
        }
        assert!(super::process::find(&home.marker()).unwrap().is_empty());
    }
}

async fn pid(edge: &Edge) -> i32 {
    i32::try_from(edge.state().await.unwrap().pid).unwrap()
}

/// A test that failed leaves nothing running either.
impl Drop for Stage {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        let home = super::home::Home::find(&self.state).unwrap();
        let marked = super::process::find(&home.marker()).unwrap_or_default();
        let marked = marked.iter().map(|found| found.identity.pid);
        for pid in marked.chain([self.pid]).filter_map(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The time is no expectation; it only keeps a mistake from hanging.
async fn until(watch: &mut Watch, what: impl Fn(&State) -> bool) -> State {
    let mut last = None;
    let seen = async {
        loop {
            let state = watch.next().await.unwrap().expect("the edge has ended");
            if what(&state) {
                return state;
            }
            last = Some(state);
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), seen).await;
    seen.unwrap_or_else(|_| panic!("waited in vain; last seen: {last:?}"))
}

/// A program that takes `edge --state DIR`.
fn stand_in(dir: &Path) -> PathBuf {
    let path = dir.join("agentctl");
    let script = format!(
        "#!/bin/sh\nTEST_EDGE=\"$3\" TEST_SUCCEEDS=\"$4\" exec {}\n",
        stand_in_command("stand_in_edge")
    );
    if !path.exists() {
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    path
}

fn stand_in_command(test: &str) -> String {
    format!(
        "{} --exact edge::tests::{test} --nocapture",
        std::env::current_exe().unwrap().display()
    )
}

fn standings(state: &State, pool: &str) -> Vec<(u32, Standing)> {
    let replicas = state
        .pools
        .get(pool)
        .map(|pool: &PoolState| pool.replicas.as_slice())
        .unwrap_or_default();
    replicas
        .iter()
        .map(|replica| (replica.number, replica.standing))
        .collect()
}

fn ready(count: usize) -> impl Fn(&State) -> bool {
    move |state| {
        let standings = standings(state, "a");
        standings.len() == count
            && standings
                .iter()
                .all(|(_, standing)| *standing == Standing::Ready)
    }
}

fn says(state: &State) -> &str {
    state.pools["a"].replicas[0]
        .says
        .as_deref()
        .unwrap_or_default()
}
