//! What a person is asked, and what becomes of what they say.

use super::event::{Reason, Stamp, Why};
use super::plan::Gate;
use super::state::{Phase, Rollout};
use crate::analysis::{Finding, Verdict};
use crate::spec::{MetricGate, Unclear};

/// What a hold waits for that does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    Person,
    Evidence,
    /// Both releases fail at once.
    Outage,
}

impl Rollout {
    /// What a person is asked now, in words: to approve a step, or gates that cannot say although
    /// their hold is over; `verdicts` are what the gates said last.
    pub(crate) fn asks(&self, verdicts: &[Verdict], now: Stamp) -> Option<&str> {
        match self.gate()? {
            (Gate::Approve(what), _) => Some(what),
            (Gate::Hold(_), _) => {
                let (waits, _) = self.stands(verdicts, now)?;
                (waits == Waits::Person).then_some("the gates cannot say")
            }
            (Gate::Probe, _) => None,
        }
    }

    /// Whether a yes can mean anything here, whatever the gates say.
    pub(crate) fn may_ask(&self, now: Stamp) -> bool {
        match self.gate() {
            Some((Gate::Approve(_), _)) => true,
            Some((Gate::Hold(_), _)) => {
                let is_asked = |gate: &MetricGate| gate.against.is_none() || self.step().compares();
                let asks = |gate: &MetricGate| gate.unclear == Unclear::Approve && is_asked(gate);
                self.is_held(now) && self.plan.gates.iter().any(asks)
            }
            Some((Gate::Probe, _)) | None => false,
        }
    }

    /// What a hold waits for that does not go on, and the verdict that it stands still by. One that
    /// fails is undone in place of it.
    pub(crate) fn stands<'v>(
        &self,
        verdicts: &'v [Verdict],
        now: Stamp,
    ) -> Option<(Waits, &'v Verdict)> {
        let Some((Gate::Hold(_), _)) = self.gate() else {
            return None;
        };
        if verdicts.iter().any(|one| one.finding == Finding::Fail) {
            return None;
        }
        if let Some(both) = verdicts.iter().find(|one| one.both) {
            return Some((Waits::Outage, both));
        }
        let unclear = |policy| self.first_unclear(verdicts, policy);
        if !self.is_held(now) || unclear(Unclear::Fail).is_some() {
            return None;
        }
        // A person's yes is enough, whatever else is still waited for.
        match unclear(Unclear::Approve) {
            Some(verdict) => Some((Waits::Person, verdict)),
            None => Some((Waits::Evidence, unclear(Unclear::Wait)?)),
        }
    }

    fn is_held(&self, now: Stamp) -> bool {
        match self.gate() {
            Some((Gate::Hold(period), since)) => now.0 >= since.0 + period.as_millis(),
            _ => false,
        }
    }

    fn first_unclear<'v>(&self, verdicts: &'v [Verdict], policy: Unclear) -> Option<&'v Verdict> {
        let of_it = |verdict: &Verdict| {
            let mut gates = self.plan.gates.iter().filter(|gate| gate.unclear == policy);
            gates.any(|gate| gate.label() == verdict.gate)
        };
        let mut verdicts = verdicts.iter();
        verdicts.find(|verdict| verdict.finding == Finding::Unclear && of_it(verdict))
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
