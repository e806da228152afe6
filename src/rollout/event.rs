use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Gate, Plan};
use crate::analysis::{Measures, Verdict};
use crate::release::ReleaseId;
use crate::spec::Percent;

/// Milliseconds since the Unix epoch, by the clock of whoever wrote the event.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Stamp(pub(crate) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Slot {
    Stable,
    Candidate,
}

/// What is to be done next. Each is safe to repeat.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    Observe,
    Scale(Slot, u32),
    AwaitReady(Slot, u32),
    /// Wait until at most this many replicas are alive, leaving ones included.
    AwaitGone(u32),
    /// Give the candidate this share, the stable release the rest, and nobody else anything.
    Route(Percent),
    /// Give the stable release all traffic, and the candidate a copy of this share of it.
    Mirror(Percent),
    /// Scale a left-over release, neither stable nor candidate, to nothing.
    Retire(ReleaseId),
    Ask(Gate),
}

/// One release as it was last seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Side {
    /// Replicas that the target keeps up.
    pub(crate) wanted: u32,
    /// Of those, the ones that take requests.
    pub(crate) ready: u32,
    /// Of those, the ones that were started and still have time to get ready.
    pub(crate) coming: u32,
    /// Replicas beyond `wanted` that still finish their requests or conversations.
    pub(crate) leaving: u32,
}

/// The world as one look saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(crate) stable: Side,
    pub(crate) candidate: Side,
    /// The candidate's share; `None` where traffic is not split between these two alone.
    pub(crate) weight: Option<Percent>,
    /// The share of what others are asked that the candidate gets a copy of.
    #[serde(default, skip_serializing_if = "Percent::is_zero")]
    pub(crate) mirror: Percent,
    /// Other releases that are kept up: left-overs of abandoned rollouts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<ReleaseId>,
}

/// The kind of a failure: what `status` groups by and exit codes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// Replicas did not get ready in time, or exited.
    NotReady,
    /// Replicas that had been ready stopped being so.
    LostReadiness,
    Probe,
    Gate,
    /// Half of the requests fail: told by no gate, but by what nobody would let pass.
    Failing,
    /// Both releases fail at once, and it did not get better in time.
    Outage,
    /// A person said stop.
    Aborted,
    /// A person promoted the stable release of an A/B test.
    Kept,
    /// The target refused, or could not be reached.
    Target,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) why: Why,
    /// One sentence for a person.
    pub(crate) says: String,
    /// The failing replica's own last lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<String>,
    /// Where the evidence was saved before anything was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
    /// What to type next, where the target knows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Reason {
    /// With nothing more to tell.
    pub(crate) fn new(why: Why, says: impl Into<String>) -> Self {
        Self {
            why,
            says: says.into(),
            lines: Vec::new(),
            evidence: None,
            hint: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Completed,
    RolledBack(Reason),
    /// A person is needed; capacity is whole.
    Stalled(Reason),
}

/// What began on one release at one weight, and how much of that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Units {
    pub(crate) begun: u64,
    pub(crate) failed: u64,
}

/// What gates that compare go by: counted in one row, at its weight.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) row: usize,
    pub(crate) weight: Percent,
    pub(crate) stable: Units,
    pub(crate) candidate: Units,
    /// What the judges of other gates than those on errors wrote down, up to this row and with it;
    /// only they read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<serde_json::Value>,
}

/// One look while a gate was asked, for whoever reads about it later: nothing follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) row: usize,
    pub(crate) weight: Percent,
    /// Both since the weight last changed; `None` where there is no such release.
    pub(crate) stable: Option<Measures>,
    pub(crate) candidate: Option<Measures>,
    pub(crate) verdicts: Vec<Verdict>,
}
/// By the index of a gate that compares latencies: the times in microseconds that it goes by.
pub(crate) type Marks = BTreeMap<usize, Vec<u64>>;

/// What happened; a rollout's state is a fold over these and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Planned(Box<Plan>),
    /// Another process (said who) went on with it: what was known of the world is in doubt.
    Resumed(String),
    Observed(Live),
    /// Found before the first row that is compared, and never changed.
    Marked(Marks),
    /// Before the row is left, for the rows to come; and now and then before that.
    Counted(Counted),
    /// Now and then while a gate is asked, and when it no longer is.
    Measured(Box<Measured>),
    Done(Effect),
    Failed(Effect, Reason),
    /// By whom.
    Approved(String),
    /// By whom.
    Aborted(String),
    /// By whom: of an A/B test the stable release stays.
    Kept(String),
    Finished(Outcome),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Run(Effect),
    Finish(Outcome),
}

#[cfg(test)]
mod tests;
