//! A request's hold on its replica, from before it is sent until its reply has ended.

use std::sync::Arc;

use super::conversations::Visit;
use super::mirror::{Entry, Side, Wanted};
use super::turns::Of;
use super::{Conversations, Pool, Pools, Table, seat_of};
use crate::edge::conversation::ConversationId;
use crate::edge::meter::{Change, Ending, Waits, Window};
use crate::edge::replica::Replica;

/// While it lives, its replica is not quiet and its conversation is not over.
pub(crate) struct Claim {
    replica: Arc<Replica>,
    window: Arc<Window>,
    /// With the table that is to hear when the request has ended.
    conversation: Option<(ConversationId, Arc<Table>)>,
    idle: u64,
    /// The place in the ledger of a request that belongs to no conversation.
    account: Option<(u64, Arc<Table>)>,
    /// Conversations stay where they began: one fails as a whole, and not request by request.
    sticky: bool,
    /// It is to be copied.
    wanted: Option<Wanted>,
    /// It is a copy.
    copy: Option<(Entry, Arc<Table>)>,
    /// What begins with it waits until it is answered.
    waits: Option<Waits>,
}

impl Claim {
    /// What is to be copied of the request; told once.
    pub(crate) fn wanted(&mut self) -> Option<Wanted> {
        self.wanted.take()
    }

    pub(crate) fn conversation(&self) -> Option<ConversationId> {
        self.conversation.as_ref().map(|(id, _)| *id)
    }

    pub(crate) fn pool(&self) -> Arc<str> {
        self.replica.shared_pool()
    }

    pub(crate) fn replica(&self) -> &Arc<Replica> {
        &self.replica
    }

    /// Counts the request: once, by the claim that its reply came from.
    pub(crate) fn count(&self, ending: &Ending) {
        if let Some((entry, table)) = &self.copy {
            return entry.count(&self.window, ending, table.now());
        }
        self.window.end(ending);
        if let Some((account, table)) = &self.account {
            let mut all = table.all_conversations();
            all.ledger.enter(*account, ending.usage);
        }
        let conversation = self.conversation.as_ref().filter(|_| self.sticky);
        let change = match conversation {
            Some((id, table)) => {
                let mut all = table.all_conversations();
                all.change(*id, self.window.since(), ending)
            }
            None => Some(Change::of_one(ending)),
        };
        if let Some(change) = change {
            self.window.change(&change);
        }
    }

    /// Its reply has begun. How long a tunnel stays open says nothing of the agent: it is answered with
    /// that.
    pub(crate) fn hear(&mut self, is_tunnel: bool) {
        self.window.hear();
        self.waits.take_if(|_| is_tunnel);
    }

    /// A conversation begins with this request's reply, which gave it its name.
    pub(crate) fn name(&mut self, id: ConversationId, table: &Arc<Table>) {
        // Its first request was counted when it was claimed.
        let mut all = table.swept();
        if self.join(id, table, &mut all) && self.sticky {
            let account = self.account.take();
            all.adopt(id, account.map(|(account, _)| account));
        }
    }

    /// True if the conversation begins with this.
    fn join(&mut self, id: ConversationId, table: &Arc<Table>, all: &mut Conversations) -> bool {
        let visit = Visit {
            seat: seat_of(&self.replica),
            now: table.now(),
            idle: self.idle,
            window: self.window.since(),
        };
        let first = all.visit(id, visit);
        self.window.visited(first.in_window, first.in_pool);
        self.conversation = Some((id, Arc::clone(table)));
        first.of_all
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some((id, table)) = &self.conversation {
            table.all_conversations().part(*id, table.now());
        }
        self.window.close();
        self.replica.free();
    }
}

impl Table {
    /// `None`: no replica may be sent this now; one may be after the next change.
    #[cfg(test)]
    pub(crate) fn claim(self: &Arc<Self>, id: Option<ConversationId>) -> Option<Claim> {
        self.claim_in(id, None)
    }

    /// `arm`: the pool where what begins with this is to begin. `None`: no replica may be sent this
    /// now; one may be after the next change.
    pub(crate) fn claim_in(
        self: &Arc<Self>,
        id: Option<ConversationId>,
        arm: Option<&str>,
    ) -> Option<Claim> {
        self.claim_but(id, arm, None, Absence::Awaited)
    }

    /// For a request that has waited long enough for its conversation's pool.
    pub(crate) fn claim_anywhere(self: &Arc<Self>, id: Option<ConversationId>) -> Option<Claim> {
        self.claim_but(id, None, None, Absence::GivenUp)
    }

    /// For a request that could not be sent where it was claimed: rather somewhere else, in
    /// the same pool if that has a ready replica.
    pub(crate) fn claim_again(self: &Arc<Self>, failed: &Claim) -> Option<Claim> {
        let avoid = Some(&*failed.replica);
        if let Some(id) = failed.conversation() {
            return self.claim_but(Some(id), None, avoid, Absence::Awaited);
        }
        let pools = self.read();
        if let Some(claim) = self.of_heir() {
            return Some(claim);
        }
        let pool = pools.get(failed.replica.pool());
        let beside = pool.and_then(|pool| Some((pool, pool.least_open(avoid)?)));
        let place = beside.or_else(|| pools.turn(Of::Requests, avoid));
        place.map(|place| self.take(&pools, place))
    }

    fn claim_but(
        self: &Arc<Self>,
        id: Option<ConversationId>,
        arm: Option<&str>,
        avoid: Option<&Replica>,
        absence: Absence,
    ) -> Option<Claim> {
        let pools = self.read();
        if let Some(claim) = self.of_heir() {
            return Some(claim);
        }
        let Some(id) = id else {
            let place = pools.begin(Of::Requests, arm, avoid)?;
            let mut claim = self.take(&pools, place);
            claim.waits = Some(claim.window.begin(self.now()));
            if pools.traffic.settle.is_some() {
                claim.account = self.open_account(&mut self.swept(), &claim.replica);
            }
            claim.wanted = pools.wanted(claim.replica.pool(), None, true, self.now());
            return Some(claim);
        };
        // Held while a place is found, so that two first requests find the same one.
        let mut conversations = self.swept();
        let place = pools.place(&conversations, id, (arm, avoid), absence)?;
        let mut claim = self.take(&pools, place);
        let begins = claim.join(id, self, &mut conversations);
        if begins || !claim.sticky {
            claim.waits = Some(claim.window.begin(self.now()));
            let account = self.open_account(&mut conversations, &claim.replica);
            match claim.sticky {
                true => conversations.adopt(id, account.map(|(account, _)| account)),
                false => claim.account = account,
            }
        }
        let id = claim.sticky.then_some(id);
        let begins = begins || id.is_none();
        claim.wanted = pools.wanted(claim.replica.pool(), id, begins, self.now());
        Some(claim)
    }

    /// For a copy of a request that `pool` has answered; both are counted from here on. `None`: it can
    /// be sent nowhere.
    pub(crate) fn claim_copy(
        self: &Arc<Self>,
        wanted: &Wanted,
        (pool, ending): (&Arc<str>, &Ending),
    ) -> Option<Claim> {
        let pools = self.read();
        let (now, is_heir) = (self.now(), self.heir.get().is_some());
        let place = pools.place_of_copy(wanted, now).filter(|_| !is_heir)?;
        let mut claim = self.take(&pools, place);
        let side = Side {
            seat: seat_of(&claim.replica),
            window: &claim.window,
            idle: claim.idle,
        };
        let entry = wanted.enter((pool, ending), side, now);
        claim.copy = Some((entry, Arc::clone(self)));
        Some(claim)
    }

    fn open_account(
        self: &Arc<Self>,
        conversations: &mut Conversations,
        replica: &Replica,
    ) -> Option<(u64, Arc<Table>)> {
        let pool = replica.shared_pool();
        let account = conversations.ledger.open(&pool, self.now())?;
        Some((account, Arc::clone(self)))
    }

    /// The successor finds the conversation's place, and counts the request.
    fn of_heir(&self) -> Option<Claim> {
        let heir = self.heir.get()?;
        heir.replica.claim();
        heir.window.open();
        Some(Claim {
            replica: Arc::clone(&heir.replica),
            window: Arc::clone(&heir.window),
            conversation: None,
            account: None,
            idle: 0,
            sticky: false,
            wanted: None,
            copy: None,
            waits: None,
        })
    }

    fn take(&self, pools: &Pools, (pool, replica): Place<'_>) -> Claim {
        replica.claim();
        pool.window().open();
        Claim {
            replica: Arc::clone(replica),
            window: Arc::clone(pool.window()),
            conversation: None,
            account: None,
            idle: pool.idle(),
            sticky: pools.traffic.sticky,
            wanted: None,
            copy: None,
            waits: None,
        }
    }

    /// Counts a request that no replica could be found for, where the most traffic goes.
    pub(crate) fn refuse(&self, ending: &Ending) {
        let pools = self.read();
        let most = pools.traffic.shares.iter().max_by_key(|(_, share)| **share);
        if let Some(pool) = most.and_then(|(name, _)| pools.get(name)) {
            pool.window().end(ending);
        }
    }
}

/// What to do while a conversation's pool has no replica for it: another release knows nothing of
/// what was said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    Awaited,
    GivenUp,
}

pub(super) type Place<'a> = (&'a Pool, &'a Arc<Replica>);

impl Pools {
    fn place(
        &self,
        conversations: &Conversations,
        id: ConversationId,
        (arm, avoid): (Option<&str>, Option<&Replica>),
        absence: Absence,
    ) -> Option<Place<'_>> {
        let Some((pool, number)) = self.seat(conversations, id) else {
            return self.begin(Of::Conversations, arm, avoid);
        };
        let host = pool.host(number, avoid);
        match host.or_else(|| pool.least_open(avoid)) {
            Some(replica) => Some((pool, replica)),
            None if absence == Absence::Awaited && pool.will_serve() => None,
            None => self.turn(Of::Conversations, avoid),
        }
    }

    /// The pool that it must stay in, and the replica there where it began.
    fn seat(&self, conversations: &Conversations, id: ConversationId) -> Option<(&Pool, u32)> {
        let seat = conversations.seat(id).filter(|_| self.traffic.sticky)?;
        Some((self.get(&seat.pool)?, seat.number))
    }

    fn begin(&self, of: Of, arm: Option<&str>, avoid: Option<&Replica>) -> Option<Place<'_>> {
        match arm.and_then(|arm| self.get(arm)) {
            Some(pool) => Some((pool, pool.least_open(avoid)?)),
            None => self.turn(of, avoid),
        }
    }

    fn turn(&self, of: Of, avoid: Option<&Replica>) -> Option<Place<'_>> {
        let pool = self.all.get(self.turns.take(of)?)?;
        Some((pool, pool.least_open(avoid)?))
    }
}
