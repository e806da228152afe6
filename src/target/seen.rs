use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::Measures;
use crate::release::ReleaseId;
use crate::spec::Percent;

/// The world as a target saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Where users reach the agent.
    pub(crate) url: Option<String>,
    pub(crate) releases: BTreeMap<ReleaseId, SeenRelease>,
    /// Releases without a share are not in it.
    pub(crate) shares: BTreeMap<ReleaseId, Percent>,
}

/// One release's replicas and what was measured of its requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeenRelease {
    /// Replicas that are kept up.
    pub(crate) wanted: u32,
    pub(crate) ready: u32,
    /// Started, and still within the time to get ready.
    pub(crate) coming: u32,
    /// On their way out, with what they still have to finish.
    pub(crate) leaving: u32,
    pub(crate) failing: Vec<Failing>,
    /// Open conversations.
    pub(crate) conversations: u64,
    /// All of its requests.
    pub(crate) total: Measures,
    /// Its requests since the shares last changed.
    pub(crate) window: Measures,
}

/// A replica that is not ready, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failing {
    pub(crate) replica: u32,
    pub(crate) restarts: u32,
    pub(crate) says: String,
}
