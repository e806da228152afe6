//! What a table does once its edge has given its place away.
//!
//! Requests that were claimed before stay where they are; every later one goes on to the successor,
//! which alone knows the replicas from then on.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use super::Table;
use crate::edge::api::Standing;
use crate::edge::meter::{Counters, Window};
use crate::edge::replica::Replica;

/// The successor, as if it were a replica; nothing that goes to it is counted here.
pub(super) struct Heir {
    pub(super) replica: Arc<Replica>,
    pub(super) window: Arc<Window>,
}

/// Requests that are open on one replica.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::edge) struct Guests {
    pub(in crate::edge) pool: String,
    pub(in crate::edge) number: u32,
    pub(in crate::edge) open: u32,
}

impl Table {
    /// `heir`: where the successor listens.
    pub(in crate::edge) fn hand_over(&self, heir: SocketAddr) {
        let me = Weak::clone(&self.me);
        let heir = Heir {
            replica: Arc::new(Replica::new("heir".into(), 1, heir, Standing::Ready, me)),
            window: Window::new(Counters::new(0), Arc::new(Counters::new(0))),
        };
        // Claims are given under the read lock: none that knows of no heir is on its way after this.
        self.change(|_, _| drop(self.heir.set(heir)));
    }

    pub(in crate::edge) fn is_handed_over(&self) -> bool {
        self.heir.get().is_some()
    }

    /// Those with an open request, in order.
    pub(in crate::edge) fn guests(&self) -> Vec<Guests> {
        let pools = self.read();
        let replicas = pools.all.iter().flat_map(|pool| pool.replicas());
        let mut guests: Vec<_> = replicas
            .map(|replica| Guests {
                pool: replica.pool().to_owned(),
                number: replica.number(),
                open: replica.open(),
            })
            .filter(|guests| guests.open > 0)
            .collect();
        guests.sort_by(|one, other| (&one.pool, one.number).cmp(&(&other.pool, other.number)));
        guests
    }

    /// Resolves when no request is open any more, tunnels included.
    pub(in crate::edge) async fn quiet(&self) {
        let replicas: Vec<Arc<Replica>> = {
            let pools = self.read();
            let all = pools.all.iter().flat_map(|pool| pool.replicas());
            let heir = self.heir.get().map(|heir| &heir.replica);
            all.chain(heir).map(Arc::clone).collect()
        };
        for replica in replicas {
            replica.quiet().await;
        }
    }
}
