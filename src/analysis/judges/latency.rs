//! Latency as rates of being slow (statistics.md 4.4 C1): each threshold splits replies into those
//! within it and those over it, each split is judged as a rate of failures, and the e-values are
//! averaged. Thresholds are frozen before the first step: a stale one costs power, not validity.

use serde::{Deserialize, Serialize};

use super::Finding;
use super::rates::{Count, Rates, Tally};
use super::terms::{Arm, Margin, Risk, Share};
use super::{finding, ln_mean};

const MOST: usize = 8;

/// Seconds, rising: quantiles of the stable release before the rollout, and what was promised to users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Thresholds(Vec<f64>);

impl Thresholds {
    /// The same one twice counts once. `None` if there is none or more than eight, or one is not
    /// above zero and finite.
    #[must_use]
    pub fn frozen(seconds: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut all: Vec<f64> = seconds.into_iter().collect();
        let usable = all.iter().all(|each| *each > 0.0 && each.is_finite());
        all.sort_by(f64::total_cmp);
        all.dedup();
        (usable && (1..=MOST).contains(&all.len())).then_some(Self(all))
    }

    /// What a reply of this arm is measured against: the candidate may be slower by the margin.
    fn of(&self, arm: Arm, margin: Margin) -> impl Iterator<Item = f64> + '_ {
        let stretch = match arm {
            Arm::Stable => 1.0,
            Arm::Candidate => margin.ratio(),
        };
        self.0.iter().map(move |threshold| threshold * stretch)
    }
}

impl TryFrom<Vec<f64>> for Thresholds {
    type Error = String;

    fn try_from(seconds: Vec<f64>) -> Result<Self, String> {
        let wrong = format!("{seconds:?} are no thresholds");
        Self::frozen(seconds).ok_or(wrong)
    }
}

impl From<Thresholds> for Vec<f64> {
    fn from(thresholds: Thresholds) -> Self {
        thresholds.0
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyEvidence {
    thresholds: Thresholds,
    /// By threshold.
    over: Vec<Vec<Tally>>,
}

/// Judges how many replies are slow.
#[derive(Clone, Debug)]
pub struct Latency {
    thresholds: Thresholds,
    margin: Margin,
    over: Vec<Rates>,
}

impl Latency {
    /// Up to `margin` more time is no harm: 0.1 lets the candidate take a tenth longer.
    #[must_use]
    pub fn new(thresholds: Thresholds, margin: Margin) -> Self {
        let over = vec![Rates::new(Margin::NONE); thresholds.0.len()];
        Self {
            thresholds,
            margin,
            over,
        }
    }

    /// Goes on from evidence that was written down.
    #[must_use]
    pub fn resume(margin: Margin, evidence: LatencyEvidence) -> Self {
        let mut latency = Self::new(evidence.thresholds, margin);
        for (rates, tallies) in latency.over.iter_mut().zip(evidence.over) {
            *rates = Rates::resume(Margin::NONE, tallies);
        }
        latency
    }

    #[must_use]
    pub fn evidence(&self) -> LatencyEvidence {
        LatencyEvidence {
            thresholds: self.thresholds.clone(),
            over: self.over.iter().map(|r| r.evidence().to_vec()).collect(),
        }
    }

    /// A step begins; what is counted from now on began with this share.
    pub fn step(&mut self, share: Share) {
        self.over.iter_mut().for_each(|rates| rates.step(share));
    }

    /// One reply took so many seconds; infinity: it was broken off. What is not a number is no
    /// reply.
    pub fn see(&mut self, arm: Arm, seconds: f64) {
        if seconds.is_nan() {
            return;
        }
        let thresholds = self.thresholds.of(arm, self.margin);
        for (rates, threshold) in self.over.iter_mut().zip(thresholds) {
            let unit = rates.begin(arm);
            if let Some(unit) = unit.filter(|_| seconds > threshold) {
                rates.fail(unit);
            }
        }
    }

    /// What was counted in this step so far, where somebody else counts: replies, and of those
    /// how many took longer than so many seconds.
    pub fn told(&mut self, stable: &dyn Fn(f64) -> Count, candidate: &dyn Fn(f64) -> Count) {
        let mine = self.thresholds.of(Arm::Candidate, self.margin);
        let beside = self.thresholds.of(Arm::Stable, self.margin);
        for ((rates, mine), beside) in self.over.iter_mut().zip(mine).zip(beside) {
            rates.told(stable(beside), candidate(mine));
        }
    }

    /// Fail: slower by more than the margin. Pass: twice as many slow replies are excluded, at
    /// each threshold.
    #[must_use]
    pub fn finding(&self, risk: Risk) -> Finding {
        let is_worse = |bound| {
            let peaks = self.over.iter().map(Rates::worse_peak);
            peaks.fold(f64::NEG_INFINITY, f64::max) >= bound && self.worse() >= bound
        };
        let is_harmless = |bound| self.over.iter().all(|rates| rates.is_harmless(bound));
        finding(is_worse, is_harmless, risk)
    }

    /// ln of the e-value that the candidate is slower than the margin allows.
    #[must_use]
    pub fn worse(&self) -> f64 {
        ln_mean(self.over.iter().map(Rates::worse))
    }

    /// The threshold that can exclude harm last.
    #[must_use]
    pub fn slowest(&self) -> Option<&Rates> {
        let by_evidence = |a: &&Rates, b: &&Rates| a.harmless().total_cmp(&b.harmless());
        self.over.iter().min_by(by_evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency() -> Latency {
        let thresholds = Thresholds::frozen([0.5, 0.1, 1.0, 0.5]).unwrap();
        Latency::new(thresholds, Margin::NONE)
    }

    fn count(units: u64, failures: u64) -> Count {
        Count::new(units, failures).unwrap()
    }

    /// Computed from the formulas as statistics.md has them, by another program.
    #[test]
    fn vector() {
        let mut latency = latency();
        latency.step(Share::new(0.1).unwrap());
        let slow = |at: [u64; 3]| {
            move |seconds: f64| match seconds {
                0.1 => at[0],
                0.5 => at[1],
                _ => at[2],
            }
        };
        let (candidate, stable) = (slow([60, 9, 4]), slow([400, 40, 8]));
        latency.told(&|s| count(900, stable(s)), &|s| count(100, candidate(s)));
        assert!((latency.worse() - 1.001_782_282).abs() < 1e-5);
    }

    #[test]
    fn one_by_one_is_as_told_at_once() {
        let (mut one, mut all) = (latency(), latency());
        one.step(Share::new(0.5).unwrap());
        all.step(Share::new(0.5).unwrap());
        for took in 0..40 {
            one.see(Arm::Stable, f64::from(took) / 40.0);
            one.see(Arm::Candidate, f64::from(took) / 20.0);
            one.see(Arm::Candidate, f64::NAN);
        }
        let over = |scale: f64| {
            move |s: f64| {
                let slow = (0..40).filter(|took| f64::from(*took) / scale > s);
                count(40, slow.count() as u64)
            }
        };
        all.told(&over(40.0), &over(20.0));
        assert_eq!(one.evidence(), all.evidence());
        assert_eq!(one.worse().to_bits(), all.worse().to_bits());
    }

    #[test]
    fn a_margin_is_time() {
        let thresholds = Thresholds::frozen([1.0]).unwrap();
        let mut latency = Latency::new(thresholds, Margin::new(0.5).unwrap());
        latency.step(Share::new(0.5).unwrap());
        for _ in 0..1000 {
            latency.see(Arm::Stable, 0.9);
            latency.see(Arm::Candidate, 1.4);
        }
        assert_eq!(latency.worse(), 0.0);
    }

    #[test]
    fn thresholds_that_are_none() {
        for wrong in [vec![], vec![0.0], vec![1.0, f64::NAN], vec![f64::INFINITY]] {
            assert_eq!(Thresholds::frozen(wrong), None);
        }
        assert_eq!(Thresholds::frozen((1..=9).map(f64::from)), None);
    }
}
