//! Replicas that a share of the traffic goes to, and what is counted of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::edge::api::Measures;
use crate::edge::meter::{Counters, Window};
use crate::edge::replica::Replica;

pub(super) struct Pool {
    name: Arc<str>,
    replicas: Vec<Arc<Replica>>,
    /// Where the next search for a replica begins, so that equals take turns.
    turn: AtomicUsize,
    window: Arc<Window>,
    /// Milliseconds.
    idle: u64,
}

impl Pool {
    pub(super) fn new(name: &str, now: u64) -> Self {
        Self {
            name: name.into(),
            replicas: Vec::new(),
            turn: AtomicUsize::new(0),
            window: Window::new(Counters::new(now), Arc::new(Counters::new(now))),
            idle: 0,
        }
    }

    pub(super) fn named(&self) -> &str {
        &self.name
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(super) fn window(&self) -> &Arc<Window> {
        &self.window
    }

    pub(super) fn idle(&self) -> u64 {
        self.idle
    }

    pub(super) fn replicas(&self) -> &[Arc<Replica>] {
        &self.replicas
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.replicas.iter().any(|replica| replica.is_ready())
    }

    /// Whether it has a replica that is to serve (again), be it between two processes: a pool that
    /// nobody wants is forgotten with its last replica.
    pub(super) fn will_serve(&self) -> bool {
        self.is_empty() || self.replicas.iter().any(|replica| replica.stays())
    }

    pub(super) fn add(&mut self, replica: Replica, idle: u64) -> Arc<Replica> {
        let replica = Arc::new(replica);
        self.replicas.push(Arc::clone(&replica));
        self.idle = idle;
        replica
    }

    pub(super) fn remove(&mut self, replica: &Replica) {
        self.replicas.retain(|each| !std::ptr::eq(&**each, replica));
    }

    pub(super) fn begin_window(&mut self, since: u64) {
        self.window = self.window.next(since.max(self.window.since() + 1));
    }

    pub(super) fn restore(&mut self, total: &Measures, window: &Measures) {
        let total = Arc::new(Counters::restored(total));
        self.window = Window::new(Counters::restored(window), total);
    }

    /// The replica of a conversation that began on `number`, if it still serves its own.
    pub(super) fn host(&self, number: u32, avoid: Option<&Replica>) -> Option<&Arc<Replica>> {
        let mine = |replica: &&Arc<Replica>| {
            replica.number() == number && replica.serves_its_own() && !is(replica, avoid)
        };
        self.replicas.iter().find(mine)
    }

    /// The ready replica with the fewest open requests; the one to avoid only if it is the last.
    pub(super) fn least_open(&self, avoid: Option<&Replica>) -> Option<&Arc<Replica>> {
        let turn = self.turn.fetch_add(1, Relaxed);
        let first = turn.checked_rem(self.replicas.len())?;
        let (before, after) = self.replicas.split_at(first);
        let ready = after.iter().chain(before);
        ready
            .filter(|replica| replica.is_ready())
            .min_by_key(|replica| (is(replica, avoid), replica.open()))
    }
}

fn is(replica: &Arc<Replica>, avoid: Option<&Replica>) -> bool {
    avoid.is_some_and(|avoid| std::ptr::eq(&**replica, avoid))
}
