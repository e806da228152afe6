//! What was measured, and who talks with whom: saved each second for a successor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::api::{Measures, Mirror, Mirrored};
use super::table::{OpenConversation, Table};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// The shares that the windows belong to.
    shares: BTreeMap<String, u16>,
    pools: BTreeMap<String, Measured>,
    conversations: Vec<OpenConversation>,
    /// The copies that are made of requests, and what became of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mirror: Option<Mirror>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mirrored: Option<Mirrored>,
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
            mirror: table.traffic().mirror,
            mirrored: table.mirrored(),
        }
    }

    /// After the table has its pools and shares. If shares were changed after the counts were
    /// saved, a new window has begun, and nothing of the old one belongs into it.
    pub(super) fn restore(self, table: &Table) {
        let (known, traffic) = (table.pools(), table.traffic());
        let same_window = traffic.shares == self.shares && traffic.mirror == self.mirror;
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
        if let Some(mirrored) = self.mirrored.filter(|_| same_window) {
            table.restore_mirrored(&mirrored);
        }
        table.restore_conversations(self.conversations);
    }
}
