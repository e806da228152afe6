//! Where replicas run. A target knows a few verbs, each safe to repeat; it orders nothing, waits
//! for nothing, decides no undo and prints nothing.

mod any;
#[cfg(test)]
pub(crate) mod contract;
mod docker;
#[cfg(test)]
pub(crate) mod fake;
mod kubernetes;
mod look;
mod orders;
mod process;
mod seen;
mod steered;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub(crate) use any::Any;
pub(crate) use docker::{Docker, Host, Names, attend, program_image};
pub(crate) use kubernetes::{
    Cluster, Journal, Kubernetes, Order, Papers, Runner, Served, can_be_kept, routed_by,
    unseen_secret,
};
pub(crate) use process::{Machine, Process, StateDir, Tree, secrets};
pub(crate) use seen::{Copies, Failing, Mirrored, Seen, SeenBeside, SeenRelease};

use crate::analysis::Used;
use crate::release::{Release, ReleaseId};
use crate::spec::{Ab, ConversationKey, Percent, Period, ProbeRequest, Shadow};

/// Which release gets which share, and what keeps a conversation where it began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traffic {
    /// Adds up to 100 %.
    pub(crate) shares: BTreeMap<ReleaseId, Percent>,
    pub(crate) keys: Vec<ConversationKey>,
    pub(crate) sticky: bool,
    /// How long after its beginning what a conversation has used is read; `None`: nobody reads it.
    pub(crate) settle: Option<Period>,
    /// Who is asked the same and answers nobody.
    pub(crate) mirror: Option<Mirror>,
    /// Who begins where, by what requests say: instead of by shares.
    pub(crate) arms: Option<Arms>,
}

/// An A/B test: `ab` tells who begins on `to`; all others begin on `rest`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arms {
    pub(crate) to: ReleaseId,
    pub(crate) rest: ReleaseId,
    pub(crate) ab: Ab,
}

/// Copies of requests for a release that has no share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mirror {
    pub(crate) to: ReleaseId,
    pub(crate) share: Percent,
    pub(crate) shadow: Shadow,
}

/// A reply to a request that was sent to one replica.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) replica: u32,
    /// `None`: no answer; `says` tells why.
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
    pub(crate) millis: u64,
    /// Until the first bytes of its body came.
    pub(crate) first_millis: Option<u64>,
    pub(crate) says: Option<String>,
}

/// Where reading what conversations used goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Another one than before: shares have changed meanwhile, or the edge is another.
    pub(crate) epoch: u64,
    pub(crate) next: u64,
}

/// What conversations used that began since the shares last changed, in the order of beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spent {
    /// After the last of them; where there is one there may be more.
    pub(crate) place: Place,
    pub(crate) units: Vec<(ReleaseId, Used)>,
}

/// The last lines that one replica, or a sidecar of it, wrote, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    pub(crate) release: ReleaseId,
    pub(crate) replica: u32,
    /// `None`: the agent itself.
    pub(crate) sidecar: Option<String>,
    pub(crate) lines: Vec<String>,
}

impl Log {
    /// `r13-2`, or `r13-2-scraper`.
    pub(crate) fn name(&self) -> String {
        let replica = format!("{}-{}", self.release, self.replica);
        match &self.sidecar {
            Some(sidecar) => format!("{replica}-{sidecar}"),
            None => replica,
        }
    }
}

pub(crate) trait Target {
    /// The truth, as it is now.
    async fn observe(&self) -> Result<Seen>;

    /// The truth after its next change, or after a second without one.
    async fn next(&self) -> Result<Seen>;

    /// Starts replicas up to this number, or drains and stops the ones beyond it; does not wait.
    async fn scale(&self, release: &Release, replicas: u32) -> Result<()>;

    /// Every later request follows these shares.
    async fn route(&self, traffic: &Traffic) -> Result<()>;

    /// Sends one request to one ready replica of this release: to that one, if it is.
    async fn request(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
        replica: Option<u32>,
    ) -> Result<Reply>;

    /// What conversations used, from this place on.
    async fn spent(&self, from: Place) -> Result<Spent>;

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>>;
}
