//! What is counted of a pool's requests, without locks.
//!
//! A request holds on to the window it began in, so a window that is over takes no more counts
//! from the ones that began after it, and none that began before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::api::Measures;
use super::usage::Usage;

mod latency;
pub(crate) use latency::Latency;

/// Counters since one moment.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    since: u64,
    requests: AtomicU64,
    errors: AtomicU64,
    open: AtomicU64,
    latency: Latency,
    conversations: AtomicU64,
    begun: AtomicU64,
    failed: AtomicU64,
    tokens: AtomicU64,
    token_requests: AtomicU64,
    cost_micros: AtomicU64,
    cost_requests: AtomicU64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ending {
    /// A 5xx answer, or a reply that the replica broke off.
    pub(crate) error: bool,
    /// Microseconds from the request's head to the reply's end.
    pub(crate) micros: u64,
    pub(crate) usage: Usage,
}

impl Counters {
    /// `since` is in milliseconds since the epoch.
    pub(crate) fn new(since: u64) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Goes on counting from what another edge had counted; its open requests ended with it.
    pub(crate) fn restored(from: &Measures) -> Self {
        Self {
            since: from.since,
            requests: from.requests.into(),
            errors: from.errors.into(),
            open: 0.into(),
            latency: Latency::restored(&from.latency),
            conversations: from.conversations.into(),
            begun: from.begun.into(),
            failed: from.failed.into(),
            tokens: from.tokens.into(),
            token_requests: from.token_requests.into(),
            cost_micros: from.cost_micros.into(),
            cost_requests: from.cost_requests.into(),
        }
    }

    pub(crate) fn measures(&self) -> Measures {
        Measures {
            since: self.since,
            requests: self.requests.load(Relaxed),
            errors: self.errors.load(Relaxed),
            open: self.open.load(Relaxed),
            latency: self.latency.buckets(),
            conversations: self.conversations.load(Relaxed),
            begun: self.begun.load(Relaxed),
            failed: self.failed.load(Relaxed),
            tokens: self.tokens.load(Relaxed),
            token_requests: self.token_requests.load(Relaxed),
            cost_micros: self.cost_micros.load(Relaxed),
            cost_requests: self.cost_requests.load(Relaxed),
        }
    }

    fn end(&self, ending: &Ending) {
        self.requests.fetch_add(1, Relaxed);
        self.latency.record(ending.micros);
        if ending.error {
            self.errors.fetch_add(1, Relaxed);
        }
        if let Some(tokens) = ending.usage.tokens {
            self.tokens.fetch_add(tokens, Relaxed);
            self.token_requests.fetch_add(1, Relaxed);
        }
        if let Some(micros) = ending.usage.cost_micros {
            self.cost_micros.fetch_add(micros, Relaxed);
            self.cost_requests.fetch_add(1, Relaxed);
        }
    }
}

/// The time between two changes of the shares; counts for the pool's total as well.
#[derive(Debug)]
pub(crate) struct Window {
    counts: Counters,
    total: Arc<Counters>,
}

impl Window {
    pub(crate) fn new(counts: Counters, total: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { counts, total })
    }

    /// The next window of the same pool.
    pub(crate) fn next(&self, since: u64) -> Arc<Self> {
        Self::new(Counters::new(since), Arc::clone(&self.total))
    }

    pub(crate) fn since(&self) -> u64 {
        self.counts.since
    }

    pub(crate) fn measures(&self) -> Measures {
        self.counts.measures()
    }

    pub(crate) fn total(&self) -> Measures {
        self.total.measures()
    }

    pub(crate) fn open(&self) {
        self.counts.open.fetch_add(1, Relaxed);
        self.total.open.fetch_add(1, Relaxed);
    }

    pub(crate) fn close(&self) {
        self.counts.open.fetch_sub(1, Relaxed);
        self.total.open.fetch_sub(1, Relaxed);
    }

    pub(crate) fn end(&self, ending: &Ending) {
        self.counts.end(ending);
        self.total.end(ending);
    }

    /// A conversation, or a request that belongs to none, begins here.
    pub(crate) fn begin(&self) {
        self.counts.begun.fetch_add(1, Relaxed);
        self.total.begun.fetch_add(1, Relaxed);
    }

    /// Something that began here had its first error.
    pub(crate) fn fail(&self) {
        self.counts.failed.fetch_add(1, Relaxed);
        self.total.failed.fetch_add(1, Relaxed);
    }

    /// Whether that is a conversation's first request in this window, and in this pool.
    pub(crate) fn visited(&self, in_window: bool, in_pool: bool) {
        self.counts
            .conversations
            .fetch_add(u64::from(in_window), Relaxed);
        self.total
            .conversations
            .fetch_add(u64::from(in_pool), Relaxed);
    }
}

#[cfg(test)]
mod tests;
