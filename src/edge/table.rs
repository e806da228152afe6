//! Who may be sent a request: pools, their replicas and shares, and open conversations.
//!
//! The one piece of memory that the proxy, the health checks and the supervisor share. A request
//! is claimed under the read lock; replicas, standings and shares change under the write lock: what
//! has left gets no request that was underway to it. Locks are taken in one order: table, then
//! conversations.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::api::{Arms, Calls, Key, Measures, Mirrored, Spent, Standing, Traffic};
use super::capture::Keep;
use super::meter::Window;
use super::replica::Replica;

mod claim;
mod conversations;
mod heir;
mod ledger;
mod mirror;
mod pool;
mod turns;

pub(crate) use claim::Claim;
pub(crate) use conversations::OpenConversation;
use conversations::{Conversations, Seat};
pub(super) use heir::Guests;
use heir::Heir;
use mirror::Mirror;
pub(crate) use mirror::{Held, Wanted};
use pool::Pool;
use turns::Turns;

/// About 30 MB.
const MOST_CONVERSATIONS: usize = 1 << 18;

/// Milliseconds since the epoch, never going back.
type Clock = Box<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct Table {
    pools: RwLock<Pools>,
    conversations: Mutex<Conversations>,
    changed: watch::Sender<u64>,
    clock: Clock,
    /// Set once, under the write lock.
    heir: OnceLock<Heir>,
    /// Where pairs of a request's answers are kept.
    pairs: OnceLock<Keep>,
    me: Weak<Table>,
}

#[derive(Default)]
struct Pools {
    all: Vec<Pool>,
    traffic: Traffic,
    keys: Arc<[Key]>,
    turns: Turns,
    mirror: Option<Arc<Mirror>>,
    arms: Option<Arc<Arms>>,
}

impl Table {
    pub(crate) fn new() -> Arc<Self> {
        let (start, epoch) = (Instant::now(), SystemTime::now());
        let epoch = epoch.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::with_clock(Box::new(move || {
            (epoch + start.elapsed()).as_millis() as u64
        }))
    }

    pub(super) fn with_clock(clock: Clock) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            pools: RwLock::default(),
            conversations: Mutex::new(Conversations::new(MOST_CONVERSATIONS)),
            changed: watch::Sender::new(0),
            clock,
            heir: OnceLock::new(),
            pairs: OnceLock::new(),
            me: Weak::clone(me),
        })
    }

    pub(super) fn keep_pairs(&self, pairs: Keep) {
        let _ = self.pairs.set(pairs);
    }

    /// A version that rises with every change of standings, replicas and shares.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// `idle`: how long after its last request a conversation of this pool is over.
    pub(crate) fn add(
        &self,
        pool: &str,
        number: u32,
        address: SocketAddr,
        standing: Standing,
        idle: Duration,
    ) -> Arc<Replica> {
        self.change(|pools, now| {
            let pool = pools.entry(pool, now);
            let me = Weak::clone(&self.me);
            let replica = Replica::new(pool.name(), number, address, standing, me);
            pool.add(replica, idle.as_millis() as u64)
        })
    }

    pub(crate) fn remove(&self, replica: &Replica) {
        self.change(|pools, _| {
            if let Some(pool) = pools.get_mut(replica.pool()) {
                pool.remove(replica);
            }
        });
    }

    /// Drops a pool that has no replicas and no share; keeps it otherwise.
    pub(crate) fn forget(&self, pool: &str) {
        self.change(|pools, _| {
            let shares = pools.traffic.shares.clone();
            let wanted = |pool: &Pool| shares.get(pool.named()).is_some_and(|share| *share > 0);
            pools
                .all
                .retain(|each| each.named() != pool || !each.is_empty() || wanted(each));
        });
    }

    /// Other shares or copies than those in force begin a new window for all pools.
    pub(crate) fn set_traffic(&self, traffic: &Traffic, now_ms: u64) {
        self.change(|pools, _| {
            let is_mirrored_anew = pools.traffic.mirror != traffic.mirror;
            let moved = is_mirrored_anew
                || pools.traffic.shares != traffic.shares
                || pools.traffic.arms != traffic.arms;
            pools.arms = traffic.arms.clone().map(Arc::new);
            if is_mirrored_anew {
                pools.mirror(Mirror::new(traffic, self.pairs.get(), now_ms));
            }
            pools.traffic = traffic.clone();
            pools.keys = traffic.keys.clone().into();
            for name in traffic.shares.keys() {
                pools.entry(name, now_ms);
            }
            for pool in pools.all.iter_mut().filter(|_| moved) {
                pool.begin_window(now_ms);
            }
            let ledger = &mut self.all_conversations().ledger;
            // Where requests are copied, both sides are entered with the copies.
            ledger.follow(traffic.settle.filter(|_| traffic.mirror.is_none()));
            if moved {
                ledger.begin(now_ms);
            }
        });
    }

    /// What conversations used, from this place on.
    pub(super) fn spent(&self, epoch: u64, place: u64) -> Spent {
        match &self.read().mirror {
            Some(mirror) => mirror.spent(epoch, place, self.now()),
            None => self.swept().ledger.told(epoch, place),
        }
    }

    /// What became of copies, while there are any.
    pub(super) fn mirrored(&self) -> Option<Mirrored> {
        self.read().mirrored(self.now())
    }

    /// Goes on with what an edge before this one had told; after `set_traffic`.
    pub(super) fn restore_mirrored(&self, told: &Mirrored) {
        self.change(|pools, _| {
            let restored = Mirror::restored(&pools.traffic, self.pairs.get(), told);
            pools.mirror(restored);
        });
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.read().traffic.clone()
    }

    /// What tells conversations apart; and who begins where, while that is told by what requests say.
    pub(crate) fn keys_and_arms(&self) -> (Arc<[Key]>, Option<Arc<Arms>>) {
        let pools = self.read();
        (Arc::clone(&pools.keys), pools.arms.clone())
    }

    /// Open conversations, and what was counted in total and in this window; all zero for a pool
    /// that is not known.
    pub(crate) fn pool_state(&self, pool: &str) -> (u64, Measures, Measures) {
        let pools = self.read();
        let conversations = self.swept().in_pool(pool);
        let window = pools.get(pool).map(Pool::window);
        let both = |w: &Arc<Window>| (w.total(), w.measures(self.now()));
        let (total, window) = window.map_or_else(Default::default, both);
        (conversations, total, window)
    }

    /// What one of its replicas told of its calls.
    pub(super) fn tell(&self, pool: &str, calls: &Calls) {
        if let Some(pool) = self.read().get(pool) {
            pool.window().tell(calls);
        }
    }

    /// Names of the pools that there are, in the order they came.
    pub(crate) fn pools(&self) -> Vec<String> {
        let pools = self.read();
        pools
            .all
            .iter()
            .map(|pool| pool.named().to_owned())
            .collect()
    }

    /// Goes on with what an edge before this one had counted; after `set_traffic`.
    pub(crate) fn restore(&self, pool: &str, total: &Measures, window: &Measures) {
        self.change(|pools, now| pools.entry(pool, now).restore(total, window));
    }

    /// Open conversations, for a successor.
    pub(crate) fn conversations(&self) -> Vec<OpenConversation> {
        self.swept().told()
    }

    pub(crate) fn restore_conversations(&self, told: Vec<OpenConversation>) {
        let mut conversations = self.swept();
        for conversation in told {
            conversations.restore(conversation);
        }
    }

    pub(super) fn conversations_on(&self, replica: &Replica) -> u64 {
        self.swept().on(&seat_of(replica))
    }

    /// How long until a look is worth while; `None`: no conversation needs this replica.
    pub(super) fn until_conversations_end(&self, replica: &Replica) -> Option<Duration> {
        let sticky = self.read().traffic.sticky;
        let conversations = self.swept();
        if !sticky || conversations.on(&seat_of(replica)) == 0 {
            return None;
        }
        let end = conversations.next_end()?;
        Some(Duration::from_millis(end.saturating_sub(self.now())))
    }

    /// Only if what it is now is what `from` wants. True if that is a change.
    pub(super) fn stand(
        &self,
        replica: &Replica,
        standing: Standing,
        from: impl FnOnce(Standing) -> bool,
    ) -> bool {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let now = replica.standing();
        if now == standing || !from(now) {
            return false;
        }
        replica.set_standing(standing);
        pools.settle();
        drop(pools);
        self.bump();
        true
    }

    fn change<T>(&self, change: impl FnOnce(&mut Pools, u64) -> T) -> T {
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut pools, self.now());
        pools.settle();
        drop(pools);
        self.bump();
        result
    }

    fn bump(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    fn read(&self) -> RwLockReadGuard<'_, Pools> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Without those that are over.
    fn swept(&self) -> MutexGuard<'_, Conversations> {
        let mut conversations = self.all_conversations();
        conversations.sweep(self.now());
        conversations
    }

    fn all_conversations(&self) -> MutexGuard<'_, Conversations> {
        let lock = self.conversations.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        (self.clock)()
    }
}

impl Pools {
    fn get(&self, name: &str) -> Option<&Pool> {
        self.all.iter().find(|pool| pool.named() == name)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Pool> {
        self.all.iter_mut().find(|pool| pool.named() == name)
    }

    fn mirror(&mut self, mirror: Option<Arc<Mirror>>) {
        if let Some(before) = std::mem::replace(&mut self.mirror, mirror) {
            before.end();
        }
    }

    fn entry(&mut self, name: &str, now: u64) -> &mut Pool {
        let known = self.all.iter().position(|pool| pool.named() == name);
        let at = known.unwrap_or_else(|| {
            self.all.push(Pool::new(name, now));
            self.all.len() - 1
        });
        &mut self.all[at]
    }

    /// Turns go to pools that have a ready replica.
    fn settle(&mut self) {
        let share = |pool: &Pool| self.traffic.shares.get(pool.named()).copied();
        let share = |pool: &Pool| share(pool).filter(|_| pool.is_ready()).unwrap_or(0);
        let shares = self.all.iter().map(share).collect();
        self.turns.follow(shares);
    }
}

fn seat_of(replica: &Replica) -> Seat {
    Seat {
        pool: replica.shared_pool(),
        number: replica.number(),
    }
}

#[cfg(test)]
mod tests;
