//! A place of its own for each test: a folder with an agent, a state folder, and the real binary.

mod background;
pub(crate) mod cluster;
pub(crate) mod engine;
pub(crate) mod far;
mod http;
pub(crate) mod pip;
mod place;
mod processes;
pub(crate) mod queues;
mod ran;
pub(crate) mod registry;
pub(crate) mod server;
pub(crate) mod stand_in;
pub(crate) mod tls;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) use background::Background;
pub(crate) use engine::cache;
pub(crate) use http::reply;
pub(crate) use place::{CANARY, Place, free_port};
pub(crate) use processes::{alive, kill, stopped};
pub(crate) use ran::Ran;

/// Longer than anything here takes on a slow machine; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(150);

/// Looks again and again until it holds; there is nothing to be told by when processes change.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl FnMut() -> bool) {
    eventually_or(|| format!("{what} did not come true"), holds);
}

/// As `eventually`; `why` is what to say when it never did.
#[track_caller]
pub(crate) fn eventually_or(why: impl Fn() -> String, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{}", why());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Everything below `from`; nothing where there is no such folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).into_iter().flatten() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => _ = fs::copy(entry.path(), to).unwrap(),
        }
    }
}

/// A copy of agentctl that can be run at once. Were it written by this process, one that another test
/// starts meanwhile would hold it open for a moment, and nobody runs what is open for writing.
pub(crate) fn copied(to: &Path) {
    let mut copy = std::process::Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_agentctl")).arg(to);
    assert!(copy.status().unwrap().success());
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
