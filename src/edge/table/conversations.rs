//! Open conversations: where each began, and when it is over.
//!
//! Each has exactly one entry in `ends`, at a moment when it could be over at the earliest; only
//! then it is looked at again. So a request costs one look-up, and memory is bounded.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use crate::edge::conversation::ConversationId;
use crate::edge::meter::{Change, Ending};

/// A replica's name that outlives the replica.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seat {
    pub(super) pool: Arc<str>,
    pub(super) number: u32,
}

/// One request of a conversation. Times are milliseconds since the epoch.
pub(super) struct Visit {
    pub(super) seat: Seat,
    pub(super) now: u64,
    /// Milliseconds after its last request when it is over.
    pub(super) idle: u64,
    /// When the pool's window began.
    pub(super) window: u64,
}

/// Whether a visit is its conversation's first: in the window, in the pool, and at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct First {
    pub(super) in_window: bool,
    pub(super) in_pool: bool,
    pub(super) of_all: bool,
}

struct Conversation {
    seat: Seat,
    seen: u64,
    idle: u64,
    /// Where it was last counted; `None`: not yet.
    window: Option<u64>,
    /// The window it began in; `None` once it had a request in another pool.
    began: Option<u64>,
    failed: bool,
    /// Its slowest reply; microseconds.
    slowest: Option<u64>,
    /// Its place in the ledger.
    account: Option<u64>,
    requests: u32,
}

/// A conversation as another edge goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenConversation {
    pub(crate) id: ConversationId,
    pub(crate) pool: String,
    pub(crate) number: u32,
    /// Its last request; milliseconds since the epoch.
    pub(crate) seen: u64,
    /// Milliseconds.
    pub(crate) idle: u64,
    /// The window that it was last counted in.
    pub(crate) window: u64,
    /// The window that it began in, while it has not moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) began: Option<u64>,
    #[serde(default)]
    pub(crate) failed: bool,
    /// Its slowest reply; microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slowest: Option<u64>,
}

pub(super) struct Conversations {
    open: HashMap<ConversationId, Conversation>,
    ends: BinaryHeap<Reverse<(u64, ConversationId)>>,
    seats: BTreeMap<Seat, u64>,
    most: usize,
    /// Behind the same lock: what a conversation uses is entered with its request's end.
    pub(super) ledger: Ledger,
}

impl Conversations {
    /// Beyond `most`, the one that would be over next is forgotten.
    pub(super) fn new(most: usize) -> Self {
        Self {
            open: HashMap::new(),
            ends: BinaryHeap::new(),
            seats: BTreeMap::new(),
            most,
            ledger: Ledger::default(),
        }
    }

    pub(super) fn seat(&self, id: ConversationId) -> Option<&Seat> {
        self.open.get(&id).map(|conversation| &conversation.seat)
    }

    /// Open conversations on one replica.
    pub(super) fn on(&self, seat: &Seat) -> u64 {
        self.seats.get(seat).copied().unwrap_or(0)
    }

    pub(super) fn in_pool(&self, pool: &str) -> u64 {
        let mine = self.seats.iter().filter(|(seat, _)| &*seat.pool == pool);
        mine.map(|(_, count)| count).sum()
    }

    /// When the next of all could be over.
    pub(super) fn next_end(&self) -> Option<u64> {
        self.ends.peek().map(|Reverse((due, _))| *due)
    }

    /// A request begins: the conversation begins, goes on, or moves to another seat.
    pub(super) fn visit(&mut self, id: ConversationId, visit: Visit) -> First {
        let of_all = !self.open.contains_key(&id);
        if of_all {
            self.begin(id, &visit);
        }
        let Some(conversation) = self.open.get_mut(&id) else {
            return First {
                in_window: false,
                in_pool: false,
                of_all,
            };
        };
        let stays = conversation.seat.pool == visit.seat.pool && conversation.window.is_some();
        let first = First {
            in_window: !stays || conversation.window != Some(visit.window),
            in_pool: !stays,
            of_all,
        };
        if conversation.seat.pool != visit.seat.pool {
            conversation.began = None;
            conversation.account = None;
        }
        if conversation.seat != visit.seat {
            leave(&mut self.seats, &conversation.seat);
            *self.seats.entry(visit.seat.clone()).or_default() += 1;
            conversation.seat = visit.seat;
        }
        conversation.seen = visit.now;
        conversation.window = Some(visit.window);
        conversation.requests += 1;
        first
    }

    /// What a request's end changes of it; `None` if it did not begin in the request's window.
    pub(super) fn change(
        &mut self,
        id: ConversationId,
        window: u64,
        ending: &Ending,
    ) -> Option<Change> {
        let conversation = self.open.get_mut(&id)?;
        if let Some(account) = conversation.account {
            self.ledger.enter(account, ending.usage);
        }
        let began_here = conversation.began == Some(window);
        began_here.then(|| conversation.end_of_one(ending))
    }

    /// What its first request opened is its own.
    pub(super) fn adopt(&mut self, id: ConversationId, account: Option<u64>) {
        if let Some(conversation) = self.open.get_mut(&id) {
            conversation.account = account;
        }
    }

    /// A request of it ended.
    pub(super) fn part(&mut self, id: ConversationId, now: u64) {
        if let Some(conversation) = self.open.get_mut(&id) {
            conversation.seen = now;
            conversation.requests = conversation.requests.saturating_sub(1);
        }
    }

    /// Forgets those that are over.
    pub(super) fn sweep(&mut self, now: u64) {
        self.ledger.settle(now);
        while self.next_end().is_some_and(|due| due <= now) {
            self.look_at_next(now);
        }
    }

    pub(super) fn told(&self) -> Vec<OpenConversation> {
        let open = self.open.iter();
        open.map(|(id, conversation)| conversation.told(*id))
            .collect()
    }

    pub(super) fn restore(&mut self, told: OpenConversation) {
        let seat = Seat {
            pool: told.pool.into(),
            number: told.number,
        };
        let visit = Visit {
            seat,
            now: told.seen,
            idle: told.idle,
            window: told.window,
        };
        self.visit(told.id, visit);
        self.part(told.id, told.seen);
        if let Some(conversation) = self.open.get_mut(&told.id) {
            conversation.began = told.began;
            conversation.failed = told.failed;
            conversation.slowest = told.slowest;
        }
    }

    fn begin(&mut self, id: ConversationId, visit: &Visit) {
        if self.open.len() >= self.most {
            self.forget_next();
        }
        *self.seats.entry(visit.seat.clone()).or_default() += 1;
        self.ends.push(Reverse((visit.now + visit.idle, id)));
        let conversation = Conversation {
            seat: visit.seat.clone(),
            seen: visit.now,
            idle: visit.idle,
            window: None,
            began: Some(visit.window),
            failed: false,
            slowest: None,
            account: None,
            requests: 0,
        };
        self.open.insert(id, conversation);
    }

    fn forget_next(&mut self) {
        if let Some(Reverse((_, id))) = self.ends.pop() {
            self.forget(id);
        }
    }

    /// The one that could be over first: forgotten if it is, else looked at again later.
    fn look_at_next(&mut self, now: u64) {
        let Some(Reverse((_, id))) = self.ends.pop() else {
            return;
        };
        match self.open.get(&id).map(|conversation| conversation.end(now)) {
            Some(end) if end > now => self.ends.push(Reverse((end, id))),
            _ => self.forget(id),
        }
    }

    fn forget(&mut self, id: ConversationId) {
        if let Some(conversation) = self.open.remove(&id) {
            leave(&mut self.seats, &conversation.seat);
        }
    }
}

impl Conversation {
    fn end_of_one(&mut self, ending: &Ending) -> Change {
        let slowest = ending.took().max(self.slowest.unwrap_or(0));
        let fails = ending.error && !self.failed;
        self.failed |= ending.error;
        Change {
            fails,
            before: self.slowest.replace(slowest),
            slowest,
        }
    }

    /// The earliest moment at which it can be over.
    fn end(&self, now: u64) -> u64 {
        let seen = if self.requests > 0 { now } else { self.seen };
        seen.saturating_add(self.idle)
    }

    fn told(&self, id: ConversationId) -> OpenConversation {
        OpenConversation {
            id,
            pool: self.seat.pool.to_string(),
            number: self.seat.number,
            seen: self.seen,
            idle: self.idle,
            window: self.window.unwrap_or(0),
            began: self.began,
            failed: self.failed,
            slowest: self.slowest,
        }
    }
}

fn leave(seats: &mut BTreeMap<Seat, u64>, seat: &Seat) {
    if let Some(count) = seats.get_mut(seat) {
        *count -= 1;
        if *count == 0 {
            seats.remove(seat);
        }
    }
}

#[cfg(test)]
mod tests;
