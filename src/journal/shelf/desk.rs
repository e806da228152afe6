//! The lease, and what lies on its holder's desk.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Kept, LEASE};
use crate::journal::lease::Lease;
use crate::journal::{Asked, Corrupt, format};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Desk {
    pub(super) lease: Lease,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) asked: Vec<Asked>,
}

impl Desk {
    pub(super) fn of(kept: Option<&Kept>) -> Result<Self> {
        let Some(kept) = kept else {
            return Ok(Self::default());
        };
        format::parse(&kept.bytes, Path::new(LEASE), |says| Corrupt {
            file: LEASE.into(),
            line: 1,
            says: says.to_owned(),
            hint: "if no agentctl is at work there, delete the agent's Lease",
        })
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        Ok(format::versioned(self)?.into_bytes())
    }
}
