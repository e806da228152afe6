//! One running copy of the agent, as the proxy sees it.
//!
//! Its standing only changes under the table's write lock, and requests are claimed under the
//! read lock: once `stand` has returned, no request is claimed that the new standing forbids.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::api::Standing;
use super::table::Table;

pub(crate) struct Replica {
    pool: Arc<str>,
    number: u32,
    address: SocketAddr,
    standing: AtomicU8,
    open: AtomicU32,
    freed: Notify,
    failing: Notify,
    table: Weak<Table>,
}

const STANDINGS: [Standing; 5] = [
    Standing::Coming,
    Standing::Ready,
    Standing::Unready,
    Standing::Leaving,
    Standing::Stopping,
];

impl Replica {
    pub(super) fn new(
        pool: Arc<str>,
        number: u32,
        address: SocketAddr,
        standing: Standing,
        table: Weak<Table>,
    ) -> Self {
        Self {
            pool,
            number,
            address,
            standing: AtomicU8::new(standing as u8),
            open: AtomicU32::new(0),
            freed: Notify::new(),
            failing: Notify::new(),
            table,
        }
    }

    pub(crate) fn pool(&self) -> &str {
        &self.pool
    }

    pub(super) fn shared_pool(&self) -> Arc<str> {
        Arc::clone(&self.pool)
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn standing(&self) -> Standing {
        STANDINGS[usize::from(self.standing.load(Acquire))]
    }

    /// Whether it takes requests that belong to no conversation, and new conversations.
    pub(crate) fn is_ready(&self) -> bool {
        self.standing() == Standing::Ready
    }

    /// Whether it takes requests of the conversations that it has.
    pub(crate) fn serves_its_own(&self) -> bool {
        matches!(self.standing(), Standing::Ready | Standing::Leaving)
    }

    pub(super) fn stays(&self) -> bool {
        !matches!(self.standing(), Standing::Leaving | Standing::Stopping)
    }

    /// True if that is a change.
    pub(crate) fn stand(&self, standing: Standing) -> bool {
        self.table
            .upgrade()
            .is_some_and(|table| table.stand(self, standing, |_| true))
    }

    /// Only for the table, under its write lock.
    pub(super) fn set_standing(&self, standing: Standing) {
        self.standing.store(standing as u8, Release);
    }

    /// Requests in flight: from their claim to the end of their reply.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Acquire)
    }

    pub(super) fn claim(&self) {
        self.open.fetch_add(1, Release);
    }

    pub(super) fn free(&self) {
        if self.open.fetch_sub(1, Release) == 1 {
            self.freed.notify_waiters();
        }
    }

    /// Conversations that began here and are not over.
    pub(crate) fn conversations(&self) -> u64 {
        let table = self.table.upgrade();
        table.map_or(0, |table| table.conversations_on(self))
    }

    /// Resolves when no request is open.
    pub(crate) async fn quiet(&self) {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.open() == 0 {
                return;
            }
            freed.await;
        }
    }

    /// Resolves when every conversation that began here has been idle for the pool's `drain.idle`,
    /// has gone elsewhere, or need not stay since conversations follow the shares.
    pub(crate) async fn conversations_over(&self) {
        while let Some(rest) = self.next_look() {
            tokio::time::sleep(rest).await;
        }
    }

    /// Conversations may leave early when shares change, so a look is never far off.
    fn next_look(&self) -> Option<Duration> {
        let rest = self.table.upgrade()?.until_conversations_end(self)?;
        Some(rest.clamp(Duration::from_millis(1), Duration::from_secs(1)))
    }

    /// Told by the proxy that it took no connection. It gets no new requests until a health check
    /// finds it ready again; while it is not ready, that is nothing new and undoes no check.
    pub(crate) fn fail(&self) {
        let table = self.table.upgrade();
        let is_news =
            |table: Arc<Table>| table.stand(self, Standing::Unready, |now| now == Standing::Ready);
        if table.is_some_and(is_news) {
            self.failing.notify_one();
        }
    }

    /// Resolves when the proxy has told that it fails; at once if it did since the last call.
    pub(crate) async fn failing(&self) {
        self.failing.notified().await;
    }
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} {:?}", self.pool, self.number, self.standing())
    }
}
