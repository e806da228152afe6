//! What was measured, and who talks with whom: saved each second for a successor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::api::Measures;
use super::table::{OpenConversation, Table};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// The shares that the windows belong to.
    shares: BTreeMap<String, u16>,
    pools: BTreeMap<String, Measured>,
    conversations: Vec<OpenConversation>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Measured {
    total: Measures,
    window: Measures,
}

impl Counts {
    pub(super) fn of(table: &Table) -> Counts {
        let measured = |name: String| {
            let (_, total, window) = table.pool_state(&name);
            (name, Measured { total, window })
        };
        Counts {
            shares: table.traffic().shares,
            pools: table.pools().into_iter().map(measured).collect(),
            conversations: table.conversations(),
        }
    }

    /// After the table has its pools and shares. If shares were changed after the counts were
    /// saved, a new window has begun, and nothing of the old one belongs into it.
    pub(super) fn restore(self, table: &Table) {
        let (known, same_window) = (table.pools(), table.traffic().shares == self.shares);
        for (name, measured) in self.pools.iter().filter(|(name, _)| known.contains(name)) {
            let fresh = table.pool_state(name).2;
            table.restore(
                name,
                &measured.total,
                if same_window {
                    &measured.window
                } else {
                    &fresh
                },
            );
        }
        table.restore_conversations(self.conversations);
    }
}
