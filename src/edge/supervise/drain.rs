//! Leaving without cutting anyone off, and ending a process.
//!
//! Deadlines are counted from stamps in the book, so a new edge does not begin them again.

use std::convert::Infallible;
use std::time::Duration;

use rustix::process::Signal;

use super::life::{Life, Run};
use super::now;
use crate::edge::api::Standing;

impl Life {
    /// Waits until its conversations and then its open requests are over, or their time is.
    /// False: it was taken back.
    pub(super) async fn empties(&self, run: &Run) -> bool {
        if self.stands_at(Standing::Leaving) {
            self.lets_conversations_end(run).await;
        }
        if self.stays() {
            return false;
        }
        self.lets_requests_end(run).await;
        true
    }

    async fn lets_conversations_end(&self, run: &Run) {
        tokio::select! {
            () = run.placed.conversations_over() => {}
            () = self.reaches(run.recipe.drain.conversations) => self.note("conversations are still open at the end of their time"),
            () = self.turns() => {}
        }
        if self.stands_at(Standing::Leaving) {
            self.keeper.stand(&self.id, Standing::Stopping, None);
        }
    }

    async fn lets_requests_end(&self, run: &Run) {
        tokio::select! {
            () = run.placed.quiet() => {}
            () = self.reaches(run.recipe.drain.grace) => self.note("requests are still open at the end of their grace"),
            () = self.is_hurried() => {}
        }
    }

    /// SIGTERM, and SIGKILL when the grace is over. Its end is noticed elsewhere.
    pub(super) async fn end(&self, run: &Run) -> Infallible {
        let told = self.tell(run);
        until(told.saturating_add(run.recipe.drain.grace)).await;
        self.note("does not stop when told; killed");
        run.instance.signal(Signal::KILL);
        std::future::pending().await
    }

    /// When it was told first. Told again all the same: the edge may have been killed in between.
    fn tell(&self, run: &Run) -> u64 {
        let told = self.keeper.kept(&self.id, |kept| {
            Some(*kept.running.as_mut()?.told.get_or_insert_with(now))
        });
        self.keeper.changed();
        run.instance.signal(Signal::TERM);
        told.flatten().unwrap_or_else(now)
    }

    pub(super) fn was_told(&self) -> bool {
        self.keeper
            .kept(&self.id, |kept| {
                kept.running
                    .as_ref()
                    .is_some_and(|running| running.told.is_some())
            })
            .unwrap_or(true)
    }

    /// That many milliseconds after it took its standing.
    async fn reaches(&self, millis: u64) {
        let since = self.keeper.kept(&self.id, |kept| kept.since).unwrap_or(0);
        until(since.saturating_add(millis)).await;
    }

    /// An order has changed what it is to do.
    async fn turns(&self) {
        while self.stands_at(Standing::Leaving) && !self.keeper.hurries() {
            self.poke.notified().await;
        }
    }

    async fn is_hurried(&self) {
        while !self.keeper.hurries() {
            self.poke.notified().await;
        }
    }

    fn stands_at(&self, standing: Standing) -> bool {
        self.keeper.standing(&self.id) == Some(standing)
    }
}

/// `stamp`: milliseconds since the epoch.
async fn until(stamp: u64) {
    tokio::time::sleep(Duration::from_millis(stamp.saturating_sub(now()))).await;
}
