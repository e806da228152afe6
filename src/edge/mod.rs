//! The edge: one background process per agent that keeps replicas up and stands before them. It
//! picks an upstream, keeps conversations where they began, drains and measures.
//!
//! It knows pools and shares, not releases, candidates or rollouts, and imports no other room.
//! Invariants: a request is claimed under the same lock that the table is swapped under, so none
//! is sent to what has left; a replica gets SIGTERM only after its last open request has ended or
//! its grace is over; what the edge wants is in its snapshot before it acts, so that its successor
//! goes on where it was killed; an order with a lower fence than one seen before is refused.

pub(crate) mod api;
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
mod process;
mod proxy;
mod refusal;
mod replica;
mod snapshot;
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

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};

use home::Home;
use supervise::Keeper;

const RETRY: Duration = Duration::from_millis(5);

/// The edge's whole life. Ends well at once when another edge answers there already.
/// `containers`: its replicas are those of the engine it runs on that carry this name.
pub(crate) fn run(state_dir: &Path, containers: Option<&str>) -> Result<()> {
    let home = Home::make(state_dir)?;
    // Refused to the leader of a group, which is what a shell makes of a command given by hand.
    let _ = rustix::process::setsid();
    allow_many_files();
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        match lock(&home).await? {
            Some(_lock) => live(home, containers).await,
            None => Ok(()),
        }
    })
}

/// Each request in flight takes two; shells commonly allow 1,024. What cannot be raised stays.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

async fn live(home: Home, containers: Option<&str>) -> Result<()> {
    // Taken and not looked at: a terminal that closes is no reason to end.
    let _hangups = signal(SignalKind::hangup())?;
    let keeper = Keeper::recover(home.clone(), containers).await?;
    let listener =
        control::open(&home).with_context(|| format!("cannot open {}", home.socket().display()))?;
    tokio::task::spawn_local(Rc::clone(&keeper).save_changes());
    tokio::task::spawn_local(Rc::clone(&keeper).keep_house());
    control::serve(listener, Rc::clone(&keeper)).await;
    keeper.close().await
}

/// The kernel releases it when the edge dies. `None`: an edge answers there. One that is about to
/// end holds the lock and does not answer: it is waited for.
async fn lock(home: &Home) -> Result<Option<File>> {
    let path = home.lock();
    let file = File::options().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
            Err(TryLockError::WouldBlock) if client::Edge::connect(home.dir()).await?.is_some() => {
                return Ok(None);
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(RETRY).await,
        }
    }
}
