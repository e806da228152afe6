//! Copies of requests for a pool that has no share: which are taken, and what is counted of both
//! sides.
//!
//! Invariants: a conversation is copied from its beginning on or not at all, and is at the candidate
//! one of its own, so that no user's conversation is moved or kept open by a copy; only requests
//! that were copied are counted of either side, so that the two can be compared whatever is dropped.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::conversations::{Conversations, Seat, Visit};
use super::{MOST_CONVERSATIONS, Pools};
use crate::edge::api::{self, Mirrored, Spent};
use crate::edge::capture::{Capture, Keep};
use crate::edge::conversation::ConversationId;
use crate::edge::meter::{Change, Counters, Ending, Waits, Window};
use crate::edge::pair::Pair;

/// Bytes of requests and answers that wait to be copied or written down.
const MOST_HELD: usize = 64 << 20;

pub(crate) struct Mirror {
    order: api::Mirror,
    /// Of the requests that were copied, as they were answered to whoever asked.
    beside: Arc<Window>,
    /// Of both sides, and what they used.
    conversations: Mutex<Conversations>,
    turn: AtomicU64,
    copied: AtomicU64,
    same_status: AtomicU64,
    same: AtomicU64,
    dropped: AtomicU64,
    held: AtomicUsize,
    capture: Option<Capture>,
    over: watch::Sender<bool>,
}

/// A request that is to be copied, and the conversation that it is a part of.
#[derive(Clone)]
pub(crate) struct Wanted {
    mirror: Arc<Mirror>,
    id: Option<ConversationId>,
    begins: bool,
}

/// Bytes that are given back when this is dropped.
pub(crate) struct Held(usize, Arc<Mirror>);

/// What a copy's end is entered into.
pub(super) struct Entry {
    mirror: Arc<Mirror>,
    id: Option<ConversationId>,
    account: Option<u64>,
    _waits: Option<Waits>,
}

impl Mirror {
    pub(super) fn new(traffic: &api::Traffic, keep: Option<&Keep>, now: u64) -> Option<Arc<Self>> {
        let order = traffic.mirror.clone()?;
        let mut conversations = Conversations::new(MOST_CONVERSATIONS);
        conversations.ledger.follow(traffic.settle);
        conversations.ledger.begin(now);
        let capture = order.capture.as_ref().zip(keep);
        Some(Arc::new(Self {
            capture: capture.map(|(capture, keep)| Capture::new(capture, keep)),
            order,
            beside: window(Counters::new(now)),
            conversations: Mutex::new(conversations),
            turn: AtomicU64::new(0),
            copied: AtomicU64::new(0),
            same_status: AtomicU64::new(0),
            same: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            over: watch::Sender::new(false),
        }))
    }

    /// Goes on with what an edge before this one had counted; conversations that it copied are not
    /// copied on.
    pub(super) fn restored(
        traffic: &api::Traffic,
        keep: Option<&Keep>,
        told: &Mirrored,
    ) -> Option<Arc<Self>> {
        let fresh = Self::new(traffic, keep, told.beside.since)?;
        let mut mirror = Arc::into_inner(fresh)?;
        mirror.beside = window(Counters::restored(&told.beside));
        mirror.copied = told.copied.into();
        mirror.same_status = told.same_status.into();
        mirror.same = told.same.into();
        mirror.dropped = told.dropped.into();
        Some(Arc::new(mirror))
    }

    pub(super) fn pool(&self) -> &str {
        &self.order.pool
    }

    /// Resolves when shares or copies have changed since.
    pub(crate) async fn over(&self) {
        let mut over = self.over.subscribe();
        let _ = over.wait_for(|over| *over).await;
    }

    pub(super) fn end(&self) {
        self.over.send_replace(true);
    }

    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    /// `None`: too much waits already.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let before = self.held.fetch_add(bytes, Relaxed);
        let held = Held(bytes, Arc::clone(self));
        (before + bytes <= MOST_HELD).then_some(held)
    }

    /// Takes its time: not on the way of a request.
    pub(crate) fn note(&self, pair: &Pair) {
        self.copied.fetch_add(1, Relaxed);
        let (same_status, same) = (pair.same_status(), pair.is_same());
        self.same_status.fetch_add(u64::from(same_status), Relaxed);
        self.same.fetch_add(u64::from(same), Relaxed);
        if let Some(capture) = &self.capture {
            capture.append(pair);
        }
    }

    /// Whether a conversation that begins is copied, or a request that belongs to none.
    fn takes(&self, id: Option<ConversationId>) -> bool {
        let share = u64::from(self.order.share);
        match id {
            Some(id) => id.lot() < share,
            None => {
                let turn = self.turn.fetch_add(1, Relaxed);
                (turn + 1) * share / 10_000 > turn * share / 10_000
            }
        }
    }

    fn swept(&self, now: u64) -> MutexGuard<'_, Conversations> {
        let lock = self.conversations.lock();
        let mut all = lock.unwrap_or_else(PoisonError::into_inner);
        all.sweep(now);
        all
    }

    pub(super) fn spent(&self, epoch: u64, place: u64, now: u64) -> Spent {
        self.swept(now).ledger.told(epoch, place)
    }

    /// Why nothing is copied any more.
    fn ended(&self, copies: Option<&Arc<Window>>, now: u64) -> Option<String> {
        let is_late = |most: u64| now >= self.beside.since() + most;
        if self.order.at_most.is_some_and(is_late) {
            return Some("its time is over".to_owned());
        }
        let spent = copies.map_or(0, |window| window.cost_micros());
        let most = self.order.most_cost.filter(|most| spent >= *most)?;
        Some(format!("the copies' cost reached {}", most as f64 / 1e6))
    }

    fn told(&self, copies: Option<&Arc<Window>>, now: u64) -> Mirrored {
        Mirrored {
            copied: self.copied.load(Relaxed),
            same_status: self.same_status.load(Relaxed),
            same: self.same.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            ended: self.ended(copies, now),
            file: self.capture.as_ref().map(|capture| capture.path().into()),
            says: self.capture.as_ref().and_then(Capture::says),
            beside: self.beside.measures(now),
        }
    }
}

impl Pools {
    pub(super) fn mirrored(&self, now: u64) -> Option<Mirrored> {
        let mirror = self.mirror.as_ref()?;
        Some(mirror.told(self.copies(mirror), now))
    }

    fn copies(&self, mirror: &Mirror) -> Option<&Arc<Window>> {
        Some(self.get(mirror.pool())?.window())
    }

    /// What is to be copied of a request to this pool; `begins`: it is the first of a conversation, or
    /// belongs to none.
    pub(super) fn wanted(
        &self,
        pool: &str,
        id: Option<ConversationId>,
        begins: bool,
        now: u64,
    ) -> Option<Wanted> {
        let mirror = self.mirror.as_ref()?;
        let goes_on = |id| mirror.swept(now).seat(id).is_some();
        let is_taken = match id {
            Some(id) if !begins => goes_on(id),
            id => mirror.takes(id),
        };
        let has_ended = || mirror.ended(self.copies(mirror), now).is_some();
        let is_wanted = is_taken && pool != mirror.pool() && !has_ended();
        is_wanted.then(|| Wanted {
            mirror: Arc::clone(mirror),
            id,
            begins,
        })
    }

    /// The replica that its conversation is on; any where it begins. `None`: the copies have ended, or
    /// nobody is there.
    pub(super) fn place_of_copy(
        &self,
        wanted: &Wanted,
        now: u64,
    ) -> Option<super::claim::Place<'_>> {
        let mirror = self.mirror.as_ref();
        let mirror = mirror.filter(|mirror| Arc::ptr_eq(mirror, &wanted.mirror))?;
        let pool = self.get(mirror.pool())?;
        let all = mirror.swept(now);
        let seat = wanted.id.and_then(|id| all.seat(id));
        if mirror.ended(Some(pool.window()), now).is_some() || (seat.is_none() && !wanted.begins) {
            return None;
        }
        let host = seat.and_then(|seat| pool.host(seat.number, None));
        Some((pool, host.or_else(|| pool.least_open(None))?))
    }
}

/// One side of a pair.
pub(super) struct Side<'a> {
    pub(super) seat: Seat,
    pub(super) window: &'a Arc<Window>,
    /// Milliseconds.
    pub(super) idle: u64,
}

impl Wanted {
    pub(crate) fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// Counts the original, and begins to count the copy: both or neither.
    pub(super) fn enter(
        &self,
        (pool, ending): (&Arc<str>, &Ending),
        copy: Side<'_>,
        now: u64,
    ) -> Entry {
        let mirror = &self.mirror;
        let mut all = mirror.swept(now);
        let twin = self.id.map(ConversationId::twin);
        let original = Side {
            seat: Seat {
                pool: Arc::clone(pool),
                number: 0,
            },
            window: &mirror.beside,
            idle: copy.idle,
        };
        let (account, _) = begin(&mut all, twin, original, now);
        end(&mut all, (twin, account), &mirror.beside, ending, now);
        let (account, _waits) = begin(&mut all, self.id, copy, now);
        Entry {
            mirror: Arc::clone(mirror),
            id: self.id,
            account,
            _waits,
        }
    }
}

impl Entry {
    pub(super) fn count(&self, window: &Window, ending: &Ending, now: u64) {
        let mut all = self.mirror.swept(now);
        end(&mut all, (self.id, self.account), window, ending, now);
    }
}

/// The account of a request that belongs to no conversation; and what waits from now on.
fn begin(
    all: &mut Conversations,
    id: Option<ConversationId>,
    side: Side<'_>,
    now: u64,
) -> (Option<u64>, Option<Waits>) {
    let Side { seat, window, idle } = side;
    let pool = Arc::clone(&seat.pool);
    let Some(id) = id else {
        return (all.ledger.open(&pool, now), Some(window.begin(now)));
    };
    let visit = Visit {
        seat,
        now,
        idle,
        window: window.since(),
    };
    let first = all.visit(id, visit);
    window.visited(first.in_window, first.in_pool);
    let waits = first.of_all.then(|| {
        let account = all.ledger.open(&pool, now);
        all.adopt(id, account);
        window.begin(now)
    });
    (None, waits)
}

fn end(
    all: &mut Conversations,
    (id, account): (Option<ConversationId>, Option<u64>),
    window: &Window,
    ending: &Ending,
    now: u64,
) {
    window.end(ending);
    if let Some(account) = account {
        all.ledger.enter(account, ending.usage);
    }
    let change = match id {
        Some(id) => {
            all.part(id, now);
            all.change(id, window.since(), ending)
        }
        None => Some(Change::of_one(ending)),
    };
    if let Some(change) = change {
        window.change(&change);
    }
}

fn window(counts: Counters) -> Arc<Window> {
    Window::new(counts, Arc::new(Counters::new(0)))
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.held.fetch_sub(self.0, Relaxed);
    }
}
