//! Gates: asked until they open, fail, or their time is up.

use anyhow::Result;
use tokio::time::{Duration, timeout};

use super::Engine;
use super::perform::{Failure, because};
use crate::analysis::{Finding, Verdict, judge};
use crate::journal::Store;
use crate::rollout::{Stamp, Why};
use crate::spec::{Against, MetricGate, Period, Unclear};
use crate::target::{Seen, SeenRelease, Target};

/// Whether the gates open now.
enum Opening {
    Open,
    Shut(String),
    /// Until this stamp at least.
    Wait(Stamp),
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Judges the metric gates all through the hold, and beyond it while one is unclear.
    pub(super) async fn hold(&self, period: Period) -> Result<(), Failure> {
        let began = match self.rollout.gate() {
            Some((_, since)) => since,
            None => (self.clock)(),
        };
        let over = Stamp(began.0 + period.as_millis());
        let mut seen = self.target.observe().await?;
        loop {
            self.candidate_is_whole(&seen)?;
            let verdicts = self.verdicts(&seen);
            self.glimpse(&seen, &verdicts);
            match self.opening(&verdicts, over) {
                Opening::Open => return Ok(()),
                Opening::Shut(says) => {
                    let failure = Failure::new(Why::Gate, says).seeing(&seen);
                    return Err(Failure {
                        verdicts,
                        ..failure
                    });
                }
                Opening::Wait(until) => seen = self.next_until(until, seen).await?,
            }
        }
    }

    /// A person's word comes as an interruption; until then only a lost replica ends it.
    pub(super) async fn await_approval(&self) -> Result<(), Failure> {
        let mut seen = self.target.observe().await?;
        loop {
            self.candidate_is_whole(&seen)?;
            self.glimpse(&seen, &self.verdicts(&seen));
            seen = self.target.next().await?;
        }
    }

    /// The next look, at the latest when the wait is over.
    async fn next_until(&self, until: Stamp, seen: Seen) -> Result<Seen> {
        let left = until.0.saturating_sub((self.clock)().0);
        match timeout(Duration::from_millis(left), self.target.next()).await {
            Ok(next) => next,
            Err(_) => Ok(seen),
        }
    }

    fn candidate_is_whole(&self, seen: &Seen) -> Result<(), Failure> {
        let to = self.rollout.plan().to;
        let wanted = self.rollout.step().candidate;
        let none = SeenRelease::default();
        let side = seen.releases.get(&to).unwrap_or(&none);
        if side.ready >= wanted {
            return Ok(());
        }
        let because = because(to, side);
        let says = format!(
            "{to} has {} of {wanted} replicas ready{because}",
            side.ready
        );
        Err(Failure::new(Why::LostReadiness, says).seeing(seen))
    }

    fn verdicts(&self, seen: &Seen) -> Vec<Verdict> {
        let plan = self.rollout.plan();
        let window = seen.releases.get(&plan.to).map(|to| to.window.clone());
        let window = window.unwrap_or_default();
        let verdict = |gate: &MetricGate| match gate.against {
            None => judge(gate, &window),
            Some(Against::Stable) => {
                let compared = self.compared(gate, seen);
                compared.unwrap_or_else(|| Verdict::nothing_seen(gate))
            }
        };
        self.asked_now().into_iter().map(verdict).collect()
    }

    /// Without a stable release that has traffic there is nothing to compare with.
    fn asked_now(&self) -> Vec<&MetricGate> {
        let gates = self.rollout.plan().gates.iter();
        let asked = gates.filter(|gate| gate.against.is_none() || self.can_compare());
        asked.collect()
    }

    fn opening(&self, verdicts: &[Verdict], over: Stamp) -> Opening {
        let plan = self.rollout.plan();
        let give_up = Stamp(over.0 + plan.patience.as_millis());
        opening(&self.asked_now(), verdicts, (self.clock)(), over, give_up)
    }
}

fn opening(
    gates: &[&MetricGate],
    verdicts: &[Verdict],
    now: Stamp,
    over: Stamp,
    give_up: Stamp,
) -> Opening {
    if let Some(failed) = verdicts.iter().find(|v| v.finding == Finding::Fail) {
        return Opening::Shut(named(failed));
    }
    let passed = verdicts.iter().all(|v| v.finding == Finding::Pass);
    let is_early = passed && gates.iter().any(|gate| gate.early);
    if now < over && !is_early {
        return Opening::Wait(over);
    }
    let unclear = |policy| {
        let pairs = gates.iter().zip(verdicts);
        pairs
            .filter(|(gate, _)| gate.unclear == policy)
            .map(|(_, verdict)| verdict)
            .find(|verdict| verdict.finding == Finding::Unclear)
    };
    match (unclear(Unclear::Fail), unclear(Unclear::Wait)) {
        (Some(verdict), _) => Opening::Shut(format!("{}, and the hold is over", named(verdict))),
        (None, Some(verdict)) if now >= give_up => {
            Opening::Shut(format!("{}, and patience is over", named(verdict)))
        }
        (None, Some(_)) => Opening::Wait(give_up),
        (None, None) => Opening::Open,
    }
}

/// A gate with a name of its own is told by it.
fn named(verdict: &Verdict) -> String {
    match verdict.says.starts_with(&verdict.gate) {
        true => verdict.says.clone(),
        false => format!("{}: {}", verdict.gate, verdict.says),
    }
}
