//! Traffic that was recorded, judged as a rollout would judge it, and relabelled to see how often a
//! harmless release would be stopped.
//!
//! Pure. Thresholds and caps come from both releases' replies together, so that they are the same
//! whichever release a reply is said to be of.

mod pairs;
mod random;
mod read;
mod share;
#[cfg(test)]
mod tests;
mod trial;

use serde::Serialize;

pub(crate) use pairs::{Pair, pairs};
pub(crate) use read::observations;
pub(crate) use share::{moves, share};
pub(crate) use trial::Trial;

use super::judges::{Arm, Confidence, Finding, Margin, Promise, Share};
use crate::spec::Percent;
use random::Random;

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observation {
    /// Seconds, from any moment on.
    pub(crate) time: f64,
    /// `None`: traffic of one release, to be relabelled.
    pub(crate) arm: Option<Arm>,
    pub(crate) failed: bool,
    /// Seconds.
    pub(crate) latency: Option<f64>,
    pub(crate) cost: Option<f64>,
    pub(crate) conversation: Option<String>,
    /// The candidate's share when it began.
    pub(crate) weight: Option<Percent>,
}

/// How it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) confidence: Confidence,
    pub(crate) margin: Margin,
    /// The candidate's share where the file says none.
    pub(crate) share: Share,
}

/// What one judge made of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Judged {
    pub(crate) what: What,
    pub(crate) finding: Finding,
    /// When it was found, in seconds after the first reply; `None`: it was not.
    pub(crate) after_s: Option<f64>,
    /// Conversations that had begun by then.
    pub(crate) after_units: Option<u64>,
    /// Of each release, in the unit of what is judged.
    pub(crate) stable: Option<f64>,
    pub(crate) candidate: Option<f64>,
    /// The natural logarithm of the e-value that it is worse, and what it must reach.
    pub(crate) evidence: f64,
    pub(crate) bound: f64,
    /// What is missing, where it is unclear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    ErrorRate,
    Latency,
    CostPerConversation,
}

/// How often traffic that is all of one release was found to be worse than itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Alarms {
    pub(crate) runs: u32,
    /// Of those, the ones that any judge would have stopped.
    pub(crate) stopped: u32,
    pub(crate) by: Vec<(What, u32)>,
    /// The probability that is promised at most.
    pub(crate) promised: f64,
}

impl How {
    fn promise(&self) -> Promise {
        Promise::new(self.confidence)
    }
}

pub(crate) fn judged(trial: &Trial, how: &How) -> Vec<Judged> {
    trial.run(how, |unit| trial.arm_of(unit)).judged()
}

/// Each conversation is said to be the candidate's with the probability of its share, as in a
/// rollout; the same seed gives the same answer.
pub(crate) fn false_alarms(trial: &Trial, how: &How, runs: u32, seed: u64) -> Alarms {
    let mut random = Random::new(seed);
    let mut by: Vec<(What, u32)> = trial.whats().map(|what| (what, 0)).collect();
    let mut stopped = 0;
    for _ in 0..runs {
        let arms: Vec<Arm> = (0..trial.units())
            .map(
                |unit| match random.next() < trial.share_of(unit, how).get() {
                    true => Arm::Candidate,
                    false => Arm::Stable,
                },
            )
            .collect();
        let run = trial.run(how, |unit| arms[unit]);
        let failed: Vec<What> = run.failed().collect();
        stopped += u32::from(!failed.is_empty());
        by.iter_mut()
            .filter(|(what, _)| failed.contains(what))
            .for_each(|(_, count)| *count += 1);
    }
    Alarms {
        runs,
        stopped,
        by,
        promised: 1.0 - how.confidence.get(),
    }
}
