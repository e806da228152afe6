//! The edge: one background process per agent that keeps replicas up and stands before them. It
//! picks an upstream, keeps conversations where they began, drains and measures.
//!
//! It knows pools and shares, not releases, candidates or rollouts, and imports no other room.
//! Invariants: a request is claimed under the same lock that the table is swapped under, so none
//! is sent to what has left; a replica gets SIGTERM only after its last open request has ended or
//! its grace is over; what the edge wants is in its snapshot before it acts, so that its successor
//! goes on where it was killed, or where it gave its place away; an order with a lower fence than
//! one seen before is refused.

pub(crate) mod api;
mod arms;
mod capture;
pub(crate) mod client;
pub(crate) mod containers;
mod control;
mod conversation;
mod counts;
mod door;
mod errand;
mod fill;
mod health;
mod home;
mod instance;
mod launch;
mod logs;
mod meter;
mod metrics;
pub(crate) mod otlp;
mod pair;
mod process;
pub(crate) mod program;
mod proxy;
mod refusal;
mod replica;
mod secrets;
mod snapshot;
mod succession;
mod supervise;
mod table;
#[cfg(test)]
mod tests;
mod upstream;
mod usage;
mod wire;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use containers::Containers;
use home::{Home, SOCKET};
use succession::Start;
use supervise::Keeper;

const RETRY: Duration = Duration::from_millis(5);
/// Whoever started an edge has given up long before.
const WAITS: Duration = Duration::from_secs(60);

/// The edge's whole life. Ends well at once when another edge answers there already.
/// `containers`: its replicas are those that carry this name, of the engine with this socket.
/// `succeeds`: it takes the place of one that answers there.
pub(crate) fn run(
    state_dir: &Path,
    containers: Option<(&str, &Path)>,
    succeeds: bool,
) -> Result<()> {
    // The others were started as the program that they are to be.
    if containers.is_some() && is_first() {
        program::step_aside(state_dir);
    }
    let home = Home::make(state_dir)?;
    // Refused to the leader of a group, which is what a shell makes of a command given by hand.
    let _ = rustix::process::setsid();
    allow_many_files();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let containers = match containers {
            Some((owner, socket)) => Some(Containers::of(owner, socket).await?),
            None => None,
        };
        match start(&home, succeeds).await? {
            Some(start) => live(home, containers, start).await,
            None => Ok(()),
        }
    })
}

/// Of a container: it ends with its first process.
fn is_first() -> bool {
    std::process::id() == 1
}

/// Each request in flight takes two; shells commonly allow 1,024. What cannot be raised stays.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

async fn live(home: Home, containers: Option<Containers>, start: Start) -> Result<()> {
    // Taken and not looked at: a terminal that closes is no reason to end.
    let _hangups = signal(SignalKind::hangup())?;
    let keeps_containers = containers.is_some();
    let keeper = Keeper::recover(home.clone(), containers, start).await?;
    let listener = control::open(&home, SOCKET)
        .with_context(|| format!("cannot open {}", home.socket().display()))?;
    if keeps_containers {
        program::settle(home.dir()).context("cannot settle which program this is")?;
    }
    keeper.spawn(Rc::clone(&keeper).save_changes());
    keeper.spawn(Rc::clone(&keeper).keep_house());
    control::serve(&home, listener, Rc::clone(&keeper)).await;
    if !keeper.is_succeeded() {
        return keeper.close().await;
    }
    keeper.fade().await;
    keeper.outlast().await
}

/// The kernel releases the lock when the edge dies. `None`: an edge answers there, and keeps its
/// place. One that is about to end holds the lock and does not answer: it is waited for, but not
/// without end, or each command would leave one that waits for an edge which hangs.
async fn start(home: &Home, succeeds: bool) -> Result<Option<Start>> {
    let path = home.lock();
    let file = File::options().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    let gives_up = Instant::now() + WAITS;
    loop {
        match file.try_lock() {
            Ok(()) => {
                let (lock, inherited) = (file, None);
                return Ok(Some(Start { lock, inherited }));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        match client::Edge::connect(home.dir()).await? {
            Some(edge) if succeeds => return succession::succeed(home, &edge).await.map(Some),
            Some(_) => return Ok(None),
            None if Instant::now() >= gives_up => {
                bail!("another edge has {} and does not answer", path.display())
            }
            None => tokio::time::sleep(RETRY).await,
        }
    }
}
