//! What the keeper tells of itself, and how facts about replicas come into the book.

use std::collections::BTreeMap;

use super::{Id, Keeper, now};
use crate::edge::api::{PoolState, ReplicaState, Standing, State};
use crate::edge::program;
use crate::edge::snapshot::{Kept, KeptPool};

impl Keeper {
    pub(in crate::edge) fn state(&self) -> State {
        let book = self.book();
        let pools = book
            .pools
            .iter()
            .map(|(name, pool)| (name.clone(), self.pool_state(name, pool)));
        let mut pools: BTreeMap<String, PoolState> = pools.collect();
        for name in self.table.pools() {
            if !pools.contains_key(&name) {
                pools.insert(name.clone(), self.measured(&name));
            }
        }
        let listen = self.door.borrow().address();
        State {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            program: program::own(),
            pid: std::process::id(),
            started: self.started,
            fence: book.fence,
            listen,
            closed: book.listen.filter(|_| listen.is_none()),
            traffic: book.traffic.clone(),
            ending: book.exit.is_some(),
            mirrored: self.table.mirrored(),
            pools,
        }
    }

    fn pool_state(&self, name: &str, pool: &KeptPool) -> PoolState {
        let replicas = pool
            .replicas
            .iter()
            .map(|(&number, kept)| self.replica_state(name, number, kept));
        PoolState {
            wanted: pool.wanted,
            replicas: replicas.collect(),
            ..self.measured(name)
        }
    }

    fn measured(&self, name: &str) -> PoolState {
        let (conversations, total, window) = self.table.pool_state(name);
        PoolState {
            conversations,
            total,
            window,
            ..PoolState::default()
        }
    }

    fn replica_state(&self, pool: &str, number: u32, kept: &Kept) -> ReplicaState {
        let placed = kept.hands.as_ref().and_then(|hands| hands.placed.as_ref());
        let pid = kept
            .running
            .as_ref()
            .and_then(|running| running.identity.pid());
        ReplicaState {
            number,
            pid,
            address: placed.map(|placed| placed.address()),
            standing: kept.standing,
            since: kept.since,
            restarts: kept.restarts,
            open: placed.map_or(0, |placed| placed.open()),
            conversations: kept.conversations(),
            says: kept.says.clone(),
            log: self.home.replica_log(Id {
                pool: pool.to_owned(),
                number,
            }),
        }
    }

    /// Facts never bring back what an order has sent away.
    pub(super) fn stand(&self, id: &Id, standing: Standing, says: Option<String>) {
        self.kept(id, |kept| {
            if kept.is_staying() || standing == Standing::Stopping {
                kept.stand(standing, now());
                kept.says =
                    says.or_else(|| kept.says.take().filter(|_| standing == Standing::Coming));
                kept.show();
            }
        });
        self.changed();
    }

    /// Its process has ended.
    pub(super) fn unplace(&self, id: &Id) {
        self.kept(id, |kept| {
            kept.running = None;
            kept.hands.iter_mut().for_each(|hands| hands.placed = None);
        });
        self.changed();
    }

    /// It will not be started again.
    pub(super) fn gone(&self, id: &Id) {
        if let Some(pool) = self.book.borrow_mut().pools.get_mut(&id.pool) {
            pool.replicas.remove(&id.number);
        }
        self.tidy();
        self.changed();
    }
}

impl Kept {
    fn show(&self) {
        if let Some(placed) = self.hands.as_ref().and_then(|hands| hands.placed.as_ref()) {
            placed.stand(self.standing);
        }
    }
}
