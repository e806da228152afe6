use serde::{Deserialize, Serialize};

use crate::release::ReleaseId;
use crate::spec::{MetricGate, Percent, Period, Probe, Strategy};

/// What must open before the walk leaves a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gate {
    /// Synthetic requests to the candidate; asked before it has traffic.
    Probe,
    /// At least this long since the row was reached; the metric gates are judged all the while.
    Hold(Period),
    /// A person says yes to this.
    Approve(String),
}

/// One row of the table: a whole wanted world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Replicas of the stable release.
    pub(crate) stable: u32,
    /// Replicas of the candidate.
    pub(crate) candidate: u32,
    /// The candidate's share of traffic; the stable release has the rest.
    pub(crate) weight: Percent,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gates: Vec<Gate>,
}

/// A whole rollout as data: record 0 of its journal, shown by `plan`, refused or walked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) strategy: Strategy,
    /// `None`: a first deploy.
    pub(crate) from: Option<ReleaseId>,
    pub(crate) to: ReleaseId,
    /// The last row is the clean-up, and the point of no return.
    pub(crate) steps: Vec<Step>,
    /// `undo[i]` is the world that a walk which was heading for `steps[i]` goes back to; undoing
    /// walks from there down to `undo[0]`, the world before the rollout. As long as `steps`, less
    /// the clean-up.
    pub(crate) undo: Vec<Step>,
    /// The most replicas that may be alive at once, leaving ones included; `None` where a leaving
    /// replica does not stand in the way of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u32>,
    /// Whether a failure undoes by itself; `false` stalls with traffic as it is.
    pub(crate) auto_undo: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) probes: Vec<Probe>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gates: Vec<MetricGate>,
    /// How long past its hold an unclear gate with `unclear = "wait"` is waited for.
    pub(crate) patience: Period,
    /// How long a started replica may take to get ready.
    pub(crate) startup: Period,
}
