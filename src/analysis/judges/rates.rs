use serde::{Deserialize, Serialize};

use super::Finding;
use super::mixture::{Failures, Mixture, SPREAD};
use super::terms::{Arm, Margin, Risk, Share};
use super::{finding, split};

/// What was counted of one arm in one step. Failures are never more than units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Count {
    units: u64,
    failures: u64,
}

impl Count {
    /// `None` if more failed than there were.
    #[must_use]
    pub fn new(units: u64, failures: u64) -> Option<Self> {
        (failures <= units).then_some(Self { units, failures })
    }
}

impl TryFrom<(u64, u64)> for Count {
    type Error = String;

    fn try_from((units, failures): (u64, u64)) -> Result<Self, String> {
        Self::new(units, failures).ok_or_else(|| format!("{failures} of {units} failed"))
    }
}

impl From<Count> for (u64, u64) {
    fn from(count: Count) -> Self {
        (count.units, count.failures)
    }
}

/// The evidence of one step: what began while the candidate had this share. Counts of different
/// shares are never added up (Simpson's paradox).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    share: Share,
    stable: Count,
    candidate: Count,
    /// Both arms have units, and as many as the share says.
    comparable: bool,
}

/// A conversation that has begun, or a request that belongs to none. It fails at most once,
/// however many errors it has, and in the step where it began.
#[derive(Debug)]
#[must_use]
pub struct Unit {
    arm: Arm,
    step: usize,
}

/// Judges a rate of failures: errors, requests over a threshold, conversations over budget.
#[derive(Clone, Debug)]
pub struct Rates {
    worse: Mixture,
    harmless: Mixture,
    tallies: Vec<Tally>,
    /// The most that evidence can be, as it stands.
    worse_peak: f64,
    harmless_peak: f64,
}

impl Rates {
    /// Up to `margin` worse is no harm.
    #[must_use]
    pub fn new(margin: Margin) -> Self {
        Self {
            worse: Mixture::above(margin.ratio()),
            harmless: Mixture::below(margin.harm()),
            tallies: Vec::new(),
            worse_peak: 0.0,
            harmless_peak: 0.0,
        }
    }

    /// Goes on from evidence that was written down.
    #[must_use]
    pub fn resume(margin: Margin, evidence: Vec<Tally>) -> Self {
        let mut rates = Self::new(margin);
        for tally in &evidence {
            rates.worse.enter(tally.share);
            rates.harmless.enter(tally.share);
        }
        rates.tallies = evidence;
        rates.weigh();
        rates
    }

    #[must_use]
    pub fn evidence(&self) -> &[Tally] {
        &self.tallies
    }

    /// A step begins; what is counted from now on began with this share.
    pub fn step(&mut self, share: Share) {
        self.worse.enter(share);
        self.harmless.enter(share);
        self.tallies.push(Tally {
            share,
            stable: Count::default(),
            candidate: Count::default(),
            comparable: false,
        });
    }

    /// `None` before the first step.
    pub fn begin(&mut self, arm: Arm) -> Option<Unit> {
        let tally = self.tallies.last_mut()?;
        tally.of(arm).units += 1;
        let step = self.tallies.len() - 1;
        Some(Unit { arm, step })
    }

    pub fn fail(&mut self, unit: Unit) {
        if let Some(tally) = self.tallies.get_mut(unit.step) {
            let count = tally.of(unit.arm);
            count.failures = (count.failures + 1).min(count.units);
            tally.compare();
            self.weigh();
        }
    }

    /// What was counted in this step so far, where somebody else counts.
    pub fn told(&mut self, stable: Count, candidate: Count) {
        if let Some(tally) = self.tallies.last_mut() {
            (tally.stable, tally.candidate) = (stable, candidate);
            tally.compare();
            self.weigh();
        }
    }

    /// Fail: worse by more than the margin. Pass: the harm that matters is excluded.
    #[must_use]
    pub fn finding(&self, risk: Risk) -> Finding {
        finding(
            |bound| self.is_worse(bound),
            |bound| self.is_harmless(bound),
            risk,
        )
    }

    /// A look costs little while evidence is far from the bound on either side.
    fn is_worse(&self, bound: f64) -> bool {
        reaches(self.worse_peak, bound, || self.worse())
    }

    pub(super) fn is_harmless(&self, bound: f64) -> bool {
        reaches(self.harmless_peak, bound, || self.harmless())
    }

    /// ln of the e-value that the candidate is worse than the margin allows.
    #[must_use]
    pub fn worse(&self) -> f64 {
        self.worse.evidence(self.failures())
    }

    pub(super) fn worse_peak(&self) -> f64 {
        self.worse_peak
    }

    /// ln of the e-value that the candidate does not do the harm that matters.
    #[must_use]
    pub fn harmless(&self) -> f64 {
        self.harmless.evidence(self.failures())
    }

    /// Units and failures that were compared, of both arms, and the last step's share.
    pub(super) fn so_far(&self) -> Option<(Count, Share)> {
        let mut all = Count::default();
        for tally in self.tallies.iter().filter(|tally| tally.comparable) {
            all.units += tally.stable.units + tally.candidate.units;
            all.failures += tally.stable.failures + tally.candidate.failures;
        }
        Some((all, self.tallies.last()?.share))
    }

    /// The last step's share, and the one that was seen in its place: so it is not compared.
    pub(super) fn other_split(&self) -> Option<(Share, f64)> {
        let last = self.tallies.last()?;
        let (stable, candidate) = (last.stable.units, last.candidate.units);
        let is_other = !split::holds(last.share, candidate, stable);
        let seen = candidate as f64 / (stable + candidate).max(1) as f64;
        (stable > 0 && candidate > 0 && is_other).then_some((last.share, seen))
    }

    /// What the harm's exclusion would be worth with so many more failures in the last step, if
    /// the candidate fails as often as the stable release.
    pub(super) fn harmless_after(&self, more: f64) -> f64 {
        let last = self.tallies.len().saturating_sub(1);
        let steps = self.tallies.iter().enumerate().map(|(at, tally)| {
            let more = if at == last { more } else { 0.0 };
            let seen = tally.failures();
            Failures {
                candidate: seen.candidate + more * tally.share.get(),
                all: seen.all + more,
            }
        });
        self.harmless.evidence(steps)
    }

    fn weigh(&mut self) {
        self.worse_peak = self.worse.peak(self.failures());
        self.harmless_peak = self.harmless.peak(self.failures());
    }

    fn failures(&self) -> impl Iterator<Item = Failures> {
        self.tallies.iter().map(Tally::failures)
    }
}

fn reaches(peak: f64, bound: f64, evidence: impl FnOnce() -> f64) -> bool {
    peak >= bound && (peak - SPREAD >= bound || evidence() >= bound)
}

impl Count {
    pub(super) fn units(self) -> u64 {
        self.units
    }

    pub(super) fn failures(self) -> u64 {
        self.failures
    }
}

impl Tally {
    fn of(&mut self, arm: Arm) -> &mut Count {
        match arm {
            Arm::Stable => &mut self.stable,
            Arm::Candidate => &mut self.candidate,
        }
    }

    /// Looked at only where evidence changes, and written down with it: else evidence that was
    /// resumed could be worth something else.
    fn compare(&mut self) {
        let (stable, candidate) = (self.stable.units, self.candidate.units);
        let both = stable > 0 && candidate > 0;
        self.comparable = both && split::holds(self.share, candidate, stable);
    }

    fn failures(&self) -> Failures {
        let candidate = self.candidate.failures as f64;
        match self.comparable {
            true => Failures {
                candidate,
                all: candidate + self.stable.failures as f64,
            },
            false => Failures {
                candidate: 0.0,
                all: 0.0,
            },
        }
    }
}

#[cfg(test)]
mod tests;
