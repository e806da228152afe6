//! What is counted of a pool's requests, without locks.
//!
//! A request holds on to the window it began in, so a window that is over takes no more counts
//! from the ones that began after it, and none that began before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::api::{Calls, Measures};
use super::usage::Usage;

mod latency;
mod waiting;
pub(crate) use latency::Latency;
use waiting::{Began, Waiting};

/// Counters since one moment.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    since: u64,
    requests: AtomicU64,
    errors: AtomicU64,
    open: AtomicU64,
    heard: AtomicU64,
    latency: Latency,
    conversations: AtomicU64,
    begun: AtomicU64,
    failed: AtomicU64,
    tokens: AtomicU64,
    token_requests: AtomicU64,
    cost_micros: AtomicU64,
    cost_requests: AtomicU64,
    tool_calls: AtomicU64,
    tool_call_requests: AtomicU64,
    steps: AtomicU64,
    step_requests: AtomicU64,
    slowest: Latency,
    told: Told,
}

/// As [`Calls`].
#[derive(Debug, Default)]
struct Told {
    model: AtomicU64,
    latency: Latency,
    tokens: AtomicU64,
    tool: AtomicU64,
    tool_errors: AtomicU64,
}

impl Told {
    fn restored(calls: &Calls) -> Self {
        let told = Self::default();
        told.add(calls);
        told
    }

    fn add(&self, calls: &Calls) {
        for (bound, count) in &calls.latency {
            self.latency.add(*bound, *count);
        }
        add(&self.model, calls.model);
        add(&self.tokens, calls.tokens);
        add(&self.tool, calls.tool);
        add(&self.tool_errors, calls.tool_errors);
    }

    fn calls(&self) -> Calls {
        Calls {
            model: self.model.load(Relaxed),
            latency: self.latency.buckets(),
            tokens: self.tokens.load(Relaxed),
            tool: self.tool.load(Relaxed),
            tool_errors: self.tool_errors.load(Relaxed),
        }
    }
}

/// What an agent tells may be anything: a sum that came round to a small one would look like thrift.
fn add(sum: &AtomicU64, told: u64) {
    let _ = sum.fetch_update(Relaxed, Relaxed, |sum| Some(sum.saturating_add(told)));
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ending {
    /// A 5xx answer, or a reply that the replica broke off.
    pub(crate) error: bool,
    /// The replica broke off its reply, or gave none.
    pub(crate) broken: bool,
    /// Microseconds from the request's head to the reply's end.
    pub(crate) micros: u64,
    pub(crate) usage: Usage,
}

/// What a request's end changes of the conversation that began in its window, or of the request
/// itself where it belongs to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// It has failed now, and had not before.
    pub(crate) fails: bool,
    /// Its slowest reply so far, and with this one; microseconds.
    pub(crate) before: Option<u64>,
    pub(crate) slowest: u64,
}

impl Change {
    /// Of a request that stands for itself.
    pub(crate) fn of_one(ending: &Ending) -> Self {
        Self {
            fails: ending.error,
            before: None,
            slowest: ending.took(),
        }
    }
}

impl Ending {
    /// Without end where the reply never came to one.
    pub(crate) fn took(&self) -> u64 {
        if self.broken { u64::MAX } else { self.micros }
    }
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
            heard: from.heard.into(),
            latency: Latency::restored(&from.latency),
            conversations: from.conversations.into(),
            begun: from.begun.into(),
            failed: from.failed.into(),
            tokens: from.tokens.into(),
            token_requests: from.token_requests.into(),
            cost_micros: from.cost_micros.into(),
            cost_requests: from.cost_requests.into(),
            tool_calls: from.tool_calls.into(),
            tool_call_requests: from.tool_call_requests.into(),
            steps: from.steps.into(),
            step_requests: from.step_requests.into(),
            slowest: Latency::restored(&from.slowest),
            told: Told::restored(&from.calls),
        }
    }

    pub(crate) fn measures(&self) -> Measures {
        Measures {
            since: self.since,
            requests: self.requests.load(Relaxed),
            errors: self.errors.load(Relaxed),
            open: self.open.load(Relaxed),
            heard: self.heard.load(Relaxed),
            waiting: Vec::new(),
            latency: self.latency.buckets(),
            conversations: self.conversations.load(Relaxed),
            begun: self.begun.load(Relaxed),
            failed: self.failed.load(Relaxed),
            tokens: self.tokens.load(Relaxed),
            token_requests: self.token_requests.load(Relaxed),
            cost_micros: self.cost_micros.load(Relaxed),
            cost_requests: self.cost_requests.load(Relaxed),
            tool_calls: self.tool_calls.load(Relaxed),
            tool_call_requests: self.tool_call_requests.load(Relaxed),
            steps: self.steps.load(Relaxed),
            step_requests: self.step_requests.load(Relaxed),
            slowest: self.slowest.buckets(),
            calls: self.told.calls(),
        }
    }

    fn end(&self, ending: &Ending) {
        self.requests.fetch_add(1, Relaxed);
        self.latency.record(ending.micros);
        if ending.error {
            self.errors.fetch_add(1, Relaxed);
        }
        let usage = ending.usage;
        for (told, sum, count) in [
            (usage.tokens, &self.tokens, &self.token_requests),
            (usage.cost_micros, &self.cost_micros, &self.cost_requests),
            (usage.tool_calls, &self.tool_calls, &self.tool_call_requests),
            (usage.steps, &self.steps, &self.step_requests),
        ] {
            if let Some(told) = told {
                add(sum, told);
                count.fetch_add(1, Relaxed);
            }
        }
    }

    fn change(&self, change: &Change) {
        self.failed.fetch_add(u64::from(change.fails), Relaxed);
        if change.before != Some(change.slowest) {
            self.slowest.record(change.slowest);
            change
                .before
                .iter()
                .for_each(|before| self.slowest.forget(*before));
        }
    }
}

/// The time between two changes of the shares; counts for the pool's total as well.
#[derive(Debug)]
pub(crate) struct Window {
    counts: Counters,
    total: Arc<Counters>,
    waiting: Waiting,
}

/// Something that has begun, until it is answered or given up.
pub(crate) struct Waits(Arc<Window>, Began);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.waiting.ends(self.1);
    }
}

impl Window {
    pub(crate) fn new(counts: Counters, total: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            counts,
            total,
            waiting: Waiting::default(),
        })
    }

    /// The next window of the same pool.
    pub(crate) fn next(&self, since: u64) -> Arc<Self> {
        Self::new(Counters::new(since), Arc::clone(&self.total))
    }

    pub(crate) fn since(&self) -> u64 {
        self.counts.since
    }

    /// `now` is in milliseconds since the epoch.
    pub(crate) fn measures(&self, now: u64) -> Measures {
        Measures {
            waiting: self.waiting.ages(now),
            ..self.counts.measures()
        }
    }

    pub(crate) fn cost_micros(&self) -> u64 {
        self.counts.cost_micros.load(Relaxed)
    }

    pub(crate) fn total(&self) -> Measures {
        self.total.measures()
    }

    pub(crate) fn open(&self) {
        self.counts.open.fetch_add(1, Relaxed);
        self.total.open.fetch_add(1, Relaxed);
    }

    /// A reply has begun.
    pub(crate) fn hear(&self) {
        self.counts.heard.fetch_add(1, Relaxed);
        self.total.heard.fetch_add(1, Relaxed);
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
    pub(crate) fn begin(self: &Arc<Self>, now: u64) -> Waits {
        self.counts.begun.fetch_add(1, Relaxed);
        self.total.begun.fetch_add(1, Relaxed);
        Waits(Arc::clone(self), self.waiting.begins(now))
    }

    /// Of something that began here.
    pub(crate) fn change(&self, change: &Change) {
        self.counts.change(change);
        self.total.change(change);
    }

    /// What a replica told of its calls; it does not say when they were.
    pub(crate) fn tell(&self, calls: &Calls) {
        self.counts.told.add(calls);
        self.total.told.add(calls);
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
