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
    /// Where users should reach it, and do not: the address could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<String>,
    pub(crate) releases: BTreeMap<ReleaseId, SeenRelease>,
    /// Releases without a share are not in it.
    pub(crate) shares: BTreeMap<ReleaseId, Percent>,
    /// It is being stopped, and waits for what is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ending: bool,
    /// Copies of requests, while there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mirrored: Option<Mirrored>,
}

/// Copies of requests, and what was answered to those who were copied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mirrored {
    #[serde(flatten)]
    pub(crate) copies: Copies,
    pub(crate) beside: Measures,
}

/// Copies that a release gets of what others are asked, and what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Copies {
    pub(crate) to: ReleaseId,
    /// Of the requests.
    pub(crate) share: Percent,
    /// Copies that were answered, or had been given up.
    pub(crate) copied: u64,
    /// Of those, the ones that were answered with the same status.
    pub(crate) same_status: u64,
    /// And the ones with the same body too.
    pub(crate) same: u64,
    /// To be copied, and not copied: too large, too many at once, or broken off.
    pub(crate) dropped: u64,
    /// Why nothing is copied any more.
    pub(crate) ended: Option<String>,
    /// Where pairs of answers are kept, and why no more are.
    pub(crate) file: Option<String>,
    pub(crate) file_says: Option<String>,
}

impl Seen {
    /// What is compared with the other release: its requests since the shares last changed; where
    /// requests are copied, those that were.
    pub(crate) fn window(&self, id: ReleaseId) -> Option<&Measures> {
        match &self.mirrored {
            Some(mirrored) if mirrored.copies.to != id => Some(&mirrored.beside),
            _ => self.releases.get(&id).map(|release| &release.window),
        }
    }
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

/// A service or tool beside the agent, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SeenBeside {
    pub(crate) name: String,
    pub(crate) is_well: bool,
    /// In the words of whoever keeps it up: `Up 3 minutes (healthy)`.
    pub(crate) says: String,
}
