//! Waiting until replicas are ready: for how long, and what tells sooner that they will not be.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, timeout_at};

use super::perform::Failure;
use super::{Engine, release};
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::{Slot, Why};
use crate::target::{Seen, SeenRelease, Target};

/// A replica that exited this often before it was ready will not get ready.
const RESTARTS: u32 = 3;

/// What the edge may need beyond a replica's own time to notice that it is over.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) async fn ready(&self, slot: Slot, replicas: u32) -> Result<(), Failure> {
        let id = self.id_in(slot)?;
        let plan = self.rollout.plan();
        let in_turn = plan.one_set || plan.is_in_place();
        let patience = plan.startup.get() + MARGIN;
        let leave = match in_turn {
            true => self.leave(id).await?,
            false => Duration::ZERO,
        };
        let mut deadline = Instant::now() + patience;
        let (mut seen, mut ready) = (self.target.observe().await?, 0);
        let mut waited = false;
        loop {
            self.glimpse(&seen, &[]);
            let side = seen.releases.get(&id).cloned().unwrap_or_default();
            if side.ready >= replicas {
                return Ok(());
            }
            if let Some(says) = hopeless(id, &side) {
                return Err(Failure::new(Why::NotReady, says).seeing(&seen));
            }
            let waits = in_turn && is_vacating(&seen);
            if waits {
                deadline = Instant::now() + leave + patience;
            } else if in_turn && (waited || side.ready > ready) {
                deadline = Instant::now() + patience;
            }
            (ready, waited) = (side.ready, waits);
            seen = match timeout_at(deadline, self.target.next()).await {
                Ok(next) => next?,
                Err(_) => return Err(late(id, &side, replicas).seeing(&seen)),
            };
        }
    }

    /// How long the release may take to leave whose places this one is to have.
    async fn leave(&self, id: ReleaseId) -> Result<Duration> {
        let plan = self.rollout.plan();
        let both = plan.stable().into_iter().chain([plan.to]);
        match both.into_iter().find(|one| *one != id) {
            Some(before) => Ok(release(self.store, before)
                .await?
                .contents
                .drain
                .grace
                .get()),
            None => Ok(Duration::ZERO),
        }
    }
}

/// Whoever has the next place has not begun: the one before may take its time to leave.
fn is_vacating(seen: &Seen) -> bool {
    seen.releases.values().any(|side| side.leaving > 0)
}

fn hopeless(id: ReleaseId, side: &SeenRelease) -> Option<String> {
    let worst = side.failing.iter().max_by_key(|failing| failing.restarts)?;
    let says = format!("{id}-{} {}", worst.replica, worst.says);
    match worst.restarts {
        RESTARTS.. => Some(format!("{says}, {} times in a row", worst.restarts)),
        // It runs, and its time to get ready is over.
        0 if side.coming == 0 => Some(says),
        _ => None,
    }
}

/// What its first failing replica says, to stand behind a sentence.
pub(crate) fn because(id: ReleaseId, side: &SeenRelease) -> String {
    match side.failing.first() {
        Some(failing) => format!(": {id}-{} {}", failing.replica, failing.says),
        None => String::new(),
    }
}

fn late(id: ReleaseId, side: &SeenRelease, replicas: u32) -> Failure {
    let because = because(id, side);
    let says = format!(
        "{} of {replicas} replicas of {id} got ready in time{because}",
        side.ready
    );
    Failure::new(Why::NotReady, says)
}
