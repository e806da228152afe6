//! One writer at a time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use super::exit::left_standing;
use super::site::{now, variable};
use crate::journal::{Asked, Fenced, HEARTBEAT, Held, Hold, Now, Owner, Store, TTL};

/// How often a lease is asked for again while its holder's time runs out.
const AGAIN: Duration = Duration::from_millis(500);

/// The lease, and who took it.
pub(crate) struct Lease {
    pub(crate) hold: Hold,
    pub(crate) who: String,
    walked: Cell<Option<Walked>>,
}

/// A rollout that is walked under it.
#[derive(Clone, Copy)]
struct Walked {
    number: u64,
    /// What to type where it is left as it is.
    next: &'static str,
}

pub(crate) fn who() -> String {
    Owner::here(variable).name()
}

/// A holder that shows no life is waited for until its time is over.
///
/// # Errors
/// `Held`, which names the holder.
pub(crate) async fn acquire<S: Store>(store: &S) -> Result<Lease> {
    let mut beat = None;
    loop {
        let error = match try_acquire(store).await {
            Ok(lease) => return Ok(lease),
            Err(error) => error,
        };
        let Some(held) = error.downcast_ref::<Held>() else {
            return Err(error);
        };
        let seen = held.holder.beat.count;
        if *beat.get_or_insert(seen) != seen || !is_silent(held) {
            return Err(error);
        }
        sleep(AGAIN).await;
    }
}

/// Leaves a request for the process that walks this rollout.
pub(crate) async fn ask<S: Store>(store: &S, rollout: u64, kind: &str) -> Result<()> {
    let asked = Asked {
        rollout,
        kind: kind.to_owned(),
        who: who(),
        at: now().0,
    };
    store.ask(asked).await
}

/// # Errors
/// `Held`, at once.
pub(crate) async fn try_acquire<S: Store>(store: &S) -> Result<Lease> {
    let owner = Owner::here(variable);
    let moment = Now {
        at: now().0,
        tick: Instant::now(),
    };
    let who = owner.name();
    let hold = store.acquire(owner, moment).await?;
    Ok(Lease {
        hold,
        who,
        walked: Cell::default(),
    })
}

/// Worth waiting for: by the clocks alone, which only the wait and never a take-over rests on.
fn is_silent(held: &Held) -> bool {
    now().0.saturating_sub(held.holder.beat.at) > TTL.as_millis() as u64
}

impl Lease {
    /// Works under it, its heart beating all the while, and gives it back. One that cannot be given
    /// back ends by itself: what was done under it counts all the same.
    ///
    /// # Errors
    /// The work's, or `Fenced` when someone else took the lease meanwhile.
    pub(crate) async fn during<S: Store, T>(
        self,
        store: &S,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let worked = tokio::select! {
            worked = work(&self) => worked,
            lost = self.beat(store) => lost.map_err(|error| self.left(error)),
        };
        let _ = store.release(self.hold).await;
        worked
    }

    pub(crate) fn begins(&self, number: u64, next: &'static str) {
        self.walked.set(Some(Walked { number, next }));
    }

    pub(crate) fn ends(&self) {
        self.walked.take();
    }

    /// Who has lost it to another says so; whoever cannot be asked any more leaves what it walked.
    fn left(&self, error: anyhow::Error) -> anyhow::Error {
        match self.walked.take() {
            Some(Walked { number, next }) if !error.is::<Fenced>() => {
                left_standing(error, number, next)
            }
            _ => error,
        }
    }

    /// Ends only when the lease is lost.
    async fn beat<S: Store, T>(&self, store: &S) -> Result<T> {
        loop {
            sleep(HEARTBEAT).await;
            store.renew(&self.hold, now().0).await?;
        }
    }
}
