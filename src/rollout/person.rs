//! What a person is asked, and what becomes of what they say.

use super::event::{Reason, Stamp, Why};
use super::plan::Gate;
use super::state::{Phase, Rollout};
use crate::spec::{MetricGate, Unclear};

impl Rollout {
    /// What a person is asked now, in words: to approve a step, or gates that cannot say although
    /// their hold is over.
    pub(crate) fn asks(&self, now: Stamp) -> Option<&str> {
        match self.gate()? {
            (Gate::Approve(what), _) => Some(what),
            (Gate::Hold(period), since) => {
                let is_over = now.0 >= since.0 + period.as_millis();
                let is_asked = |gate: &MetricGate| gate.against.is_none() || self.step().compares();
                let asks = |gate: &MetricGate| gate.unclear == Unclear::Approve && is_asked(gate);
                let asks = is_over && self.plan.gates.iter().any(asks);
                asks.then_some("the gates cannot say")
            }
            (Gate::Probe, _) => None,
        }
    }

    /// Both arms of an A/B test have traffic, and a person is to promote one.
    pub(crate) fn is_test(&self) -> bool {
        let both = self.step().weight.is_split();
        self.plan.ab.is_some() && both && self.phase() == Phase::Forward
    }

    /// The stable release of a test is promoted.
    pub(super) fn kept(&self, who: &str) -> Reason {
        let stable = self.plan.stable().map(|stable| stable.to_string());
        let stable = stable.unwrap_or_else(|| "what was there".to_owned());
        Reason::new(Why::Kept, format!("{stable} was promoted by {who}"))
    }
}

pub(super) fn aborted(who: &str) -> Reason {
    Reason::new(Why::Aborted, format!("aborted by {who}"))
}
