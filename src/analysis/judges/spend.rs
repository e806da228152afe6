//! Cost, tokens, tool calls or steps per conversation (statistics.md 4.5): betting on pairs of
//! values that are cut off at a cap, and the share of conversations over it as a rate of failures;
//! the two e-values are averaged.

use serde::{Deserialize, Serialize};

use super::Finding;
use super::betting::{Bets, Pairing};
use super::rates::{Rates, Tally};
use super::terms::{Arm, Cap, Margin, Risk, Share};
use super::{finding, ln_mean};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpendEvidence {
    cap: Cap,
    share: Option<Share>,
    worse: Bets,
    harmless: Bets,
    pairing: Pairing,
    over: Vec<Tally>,
}

/// Judges the mean of what conversations use.
#[derive(Clone, Debug)]
pub struct Spend {
    margin: Margin,
    cap: Cap,
    share: Option<Share>,
    worse: Bets,
    harmless: Bets,
    pairing: Pairing,
    over: Rates,
}

impl Spend {
    /// Up to `margin` more is no harm.
    #[must_use]
    pub fn new(cap: Cap, margin: Margin) -> Self {
        Self {
            margin,
            cap,
            share: None,
            worse: Bets::default(),
            harmless: Bets::default(),
            pairing: Pairing::default(),
            over: Rates::new(margin),
        }
    }

    /// Goes on from evidence that was written down.
    #[must_use]
    pub fn resume(margin: Margin, evidence: SpendEvidence) -> Self {
        Self {
            margin,
            cap: evidence.cap,
            share: evidence.share,
            worse: evidence.worse,
            harmless: evidence.harmless,
            pairing: evidence.pairing,
            over: Rates::resume(margin, evidence.over),
        }
    }

    #[must_use]
    pub fn evidence(&self) -> SpendEvidence {
        SpendEvidence {
            cap: self.cap,
            share: self.share,
            worse: self.worse.clone(),
            harmless: self.harmless.clone(),
            pairing: self.pairing.clone(),
            over: self.over.evidence().to_vec(),
        }
    }

    /// A step begins; what is seen from now on began with this share. No pair spans two steps.
    pub fn step(&mut self, share: Share) {
        self.share = Some(share);
        self.pairing = Pairing::default();
        self.over.step(share);
    }

    /// What one conversation used, in the cap's unit. What is negative or not finite was not
    /// measured.
    pub fn see(&mut self, arm: Arm, value: f64) {
        let Some(share) = self.share.filter(|_| value.is_finite() && value >= 0.0) else {
            return;
        };
        let unit = self.over.begin(arm);
        if let Some(unit) = unit.filter(|_| value > self.cap.get()) {
            self.over.fail(unit);
        }
        let capped = value.min(self.cap.get()) / self.cap.get();
        let candidate_is_rarer = share.get() <= 0.5;
        let is_rarer = (arm == Arm::Candidate) == candidate_is_rarer;
        match self.pairing.see(is_rarer, capped) {
            Some((rarer, other)) if candidate_is_rarer => self.bet(rarer, other),
            Some((rarer, other)) => self.bet(other, rarer),
            None => {}
        }
    }

    fn bet(&mut self, candidate: f64, stable: f64) {
        let (most, harm) = (self.margin.ratio(), self.margin.harm());
        self.worse.bet((candidate - most * stable) / most);
        self.harmless.bet((harm * stable - candidate) / harm);
    }

    /// Fail: more by more than the margin. Pass: the mean, cut off at the cap, is surely not
    /// doubled.
    #[must_use]
    pub fn finding(&self, risk: Risk) -> Finding {
        // The mean of two is at most the greater one.
        let most = self.worse.evidence().max(self.over.worse_peak());
        let is_worse = |bound| most >= bound && self.worse() >= bound;
        finding(is_worse, |bound| self.harmless.evidence() >= bound, risk)
    }

    /// ln of the e-value that the candidate uses more than the margin allows.
    #[must_use]
    pub fn worse(&self) -> f64 {
        ln_mean([self.worse.evidence(), self.over.worse()].into_iter())
    }

    /// ln of the e-value that the mean is not doubled.
    #[must_use]
    pub fn harmless(&self) -> f64 {
        self.harmless.evidence()
    }

    /// The bets on the mean alone, without the share over the cap.
    #[must_use]
    pub fn mean(&self) -> &Bets {
        &self.worse
    }

    pub(super) fn excluding(&self) -> (&Bets, Option<Share>) {
        (&self.harmless, self.share)
    }
}
