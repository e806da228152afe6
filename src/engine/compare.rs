//! Gates that compare: what they go by, over all steps so far.

use super::Engine;
use crate::analysis::judges::{Confidence, Count, Kind, Promise, Rates, Share};
use crate::analysis::{Comparison, Measures, Verdict, compare};
use crate::journal::Store;
use crate::rollout::{Counted, Units};
use crate::spec::{MetricGate, Percent};
use crate::target::{Seen, Target};

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Both releases have traffic.
    pub(super) fn can_compare(&self) -> bool {
        let weight = self.rollout.step().weight;
        let both = weight > Percent::ZERO && weight < Percent::FULL;
        both && self.rollout.plan().stable().is_some()
    }

    pub(super) fn compared(&self, gate: &MetricGate, seen: &Seen) -> Option<Verdict> {
        let (stable, candidate) = self.windows(seen)?;
        let comparison = Comparison {
            rates: &self.rates(gate, seen)?,
            risk: self.promise()?.split(&self.kinds()).first().copied()?,
            stable,
            candidate,
            now: (self.clock)().0,
        };
        Some(compare(gate, &comparison))
    }

    /// For the rows to come; `None` where no gate will ask.
    pub(super) fn count(&self, seen: &Seen) -> Option<Counted> {
        if self.kinds().is_empty() || !self.can_compare() {
            return None;
        }
        let (stable, candidate) = self.windows(seen)?;
        Some(Counted {
            row: self.rollout.row(),
            weight: self.rollout.step().weight,
            stable: units(stable),
            candidate: units(candidate),
        })
    }

    /// Each row by its own weight, this one as it stands now.
    fn rates(&self, gate: &MetricGate, seen: &Seen) -> Option<Rates> {
        let now = self.count(seen)?;
        let before = self.rollout.counted().iter();
        let before = before.filter(|counted| counted.row != now.row);
        let mut rates = Rates::new(gate.margin());
        for counted in before.chain([&now]) {
            rates.step(share(counted.weight)?);
            rates.told(count(counted.stable), count(counted.candidate));
        }
        Some(rates)
    }

    fn windows<'s>(&self, seen: &'s Seen) -> Option<(&'s Measures, &'s Measures)> {
        let plan = self.rollout.plan();
        let window = |id| seen.releases.get(&id).map(|release| &release.window);
        Some((window(plan.stable()?)?, window(plan.to)?))
    }

    fn promise(&self) -> Option<Promise> {
        let confidence = Confidence::new(self.rollout.plan().confidence)?;
        Some(Promise::new(confidence))
    }

    /// One for each gate that compares; all judge errors, so that all have the same risk.
    fn kinds(&self) -> Vec<Kind> {
        let gates = self.rollout.plan().gates.iter();
        let comparing = gates.filter(|gate| gate.against.is_some());
        comparing.map(|_| Kind::Errors).collect()
    }
}

fn share(weight: Percent) -> Option<Share> {
    Share::new(f64::from(weight.hundredths()) / 10_000.0)
}

fn units(window: &Measures) -> Units {
    Units {
        begun: window.begun,
        failed: window.failed,
    }
}

/// What has begun and failed may be read in the moment between the two.
fn count(units: Units) -> Count {
    Count::new(units.begun, units.failed.min(units.begun)).unwrap_or_default()
}
