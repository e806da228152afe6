use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::release::ReleaseId;
use crate::spec::{Ab, LlmJudge, MetricGate, Percent, Period, Probe, Rollout, Shadow, Strategy};

/// What must open before the walk leaves a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gate {
    /// Synthetic requests to the candidate; asked before it has traffic.
    Probe,
    /// At least this long since the row was reached; the metric gates are judged all the while.
    Hold(Period),
    /// A person says yes to this.
    Approve(String),
}

/// One row of the table: a whole wanted world. Where traffic goes to a release that has no replica
/// and is to have none, the row leaves traffic as it is: nobody is there to take it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Replicas of the stable release.
    pub(crate) stable: u32,
    /// Replicas of the candidate.
    pub(crate) candidate: u32,
    /// The candidate's share of traffic; the stable release has the rest.
    pub(crate) weight: Percent,
    /// The share of what stable is asked that the candidate gets a copy of; only where the candidate
    /// has no share of its own.
    #[serde(default, skip_serializing_if = "Percent::is_zero")]
    pub(crate) mirror: Percent,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gates: Vec<Gate>,
}

/// A whole rollout as data: record 0 of its journal, shown by `plan`, refused or walked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) strategy: Strategy,
    /// Who began it: `anna@laptop`.
    #[serde(default)]
    pub(crate) by: String,
    /// What made it begin, where that was no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<String>,
    /// Why it is this strategy, where `strategy = "auto"` chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chosen: Option<String>,
    /// It goes back to an earlier release because somebody, or a watch, wanted that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) goes_back: bool,
    /// `None`: a first deploy; the same as `to`: a change of its replica count.
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
    /// Whether replicas of both releases are one set, so that one more of one is one fewer of the
    /// other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) one_set: bool,
    /// Whether a conversation keeps its release while weights move.
    #[serde(default)]
    pub(crate) sticky: bool,
    /// Whether a failure undoes by itself; `false` stalls with traffic as it is.
    pub(crate) auto_undo: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) probes: Vec<Probe>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gates: Vec<MetricGate>,
    /// Whom gates and probes ask for scores; what they go by is here, whatever becomes of its file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) judges: BTreeMap<String, LlmJudge>,
    /// Of all gates that compare together.
    #[serde(default = "usual_confidence", skip_serializing_if = "is_usual")]
    pub(crate) confidence: f64,
    /// Where commands of gates run: beside agent.toml.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) folder: String,
    /// How long after its beginning what a conversation has used is compared; `None`: it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settle: Option<Period>,
    /// What becomes of the copies, where a row has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shadow: Option<Shadow>,
    /// Who begins where while both arms of an A/B test have traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ab: Option<Ab>,
    /// How long past its hold an unclear gate with `unclear = "wait"` is waited for.
    pub(crate) patience: Period,
    /// How long a started replica may take to get ready.
    pub(crate) startup: Period,
}

fn usual_confidence() -> f64 {
    Rollout::default().confidence
}

/// Journals of plans that compare nothing look as they always did.
#[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
fn is_usual(confidence: &f64) -> bool {
    *confidence == usual_confidence()
}

impl Step {
    pub(super) fn new(stable: u32, candidate: u32, weight: Percent) -> Self {
        Self {
            stable,
            candidate,
            weight,
            mirror: Percent::ZERO,
            gates: Vec::new(),
        }
    }

    /// Both releases have traffic, or one has copies of the other's.
    pub(crate) fn compares(&self) -> bool {
        self.weight.is_split() || !self.mirror.is_zero()
    }

    /// Replicas that have a share of the traffic.
    #[cfg(test)]
    fn serving(&self) -> u32 {
        let stable = if self.weight < Percent::FULL {
            self.stable
        } else {
            0
        };
        let candidate = if self.weight > Percent::ZERO {
            self.candidate
        } else {
            0
        };
        stable + candidate
    }
}

impl Plan {
    /// The release that is undone to; `None` at a first deploy and when one release is scaled,
    /// which stands in the candidate's slot alone.
    pub(crate) fn stable(&self) -> Option<ReleaseId> {
        self.from.filter(|from| *from != self.to)
    }

    /// Only the replica count of a release changes.
    pub(crate) fn is_scale(&self) -> bool {
        self.from == Some(self.to)
    }

    /// The most replicas that there are at once, also on the way back.
    pub(crate) fn most(&self) -> u32 {
        let rows = self.steps.iter().chain(&self.undo);
        rows.map(|row| row.stable + row.candidate)
            .max()
            .unwrap_or(0)
    }

    /// The ready replicas that serving capacity never goes under by our own act.
    #[cfg(test)]
    pub(crate) fn floor(&self) -> u32 {
        let rows = self.steps.iter().chain(&self.undo);
        rows.map(Step::serving).min().unwrap_or(0)
    }

    /// A plan read from a journal may come from another version, or be damaged.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let (steps, undo) = (self.steps.len(), self.undo.len());
        anyhow::ensure!(
            steps == undo + 1,
            "the plan has {steps} steps and {undo} ways back: it cannot be walked safely"
        );
        Ok(())
    }
}
