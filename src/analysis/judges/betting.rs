//! Paired betting (statistics.md 4.5 D1): wealth K *= 1 + λd, where d from −1 to 1 has a mean of at
//! most 0 while the candidate is harmless, and λ = clip(μ/(σ² + μ²), 0, 0.9) from earlier pairs only.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Never everything: one pair must not take all wealth.
const MOST: f64 = 0.9;

/// What is taken for the variance of d before anything was seen, worth one pair: that of a number
/// that is as likely to be anything from its least to its most (Waudby-Smith and Ramdas, JRSSB 2024).
const PRIOR: f64 = 0.25;

/// Values of the rarer arm that wait for one of the other; beyond that the oldest is dropped, which
/// is decided before its worth is known.
const WAITING: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bets {
    log_wealth: f64,
    pairs: f64,
    mean: f64,
    /// The sum of the squares of what d was apart from the mean.
    squares: f64,
}

impl Bets {
    /// ln of the e-value.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.log_wealth
    }

    /// `d` from −1 to 1.
    pub(super) fn bet(&mut self, d: f64) {
        let d = d.clamp(-1.0, 1.0);
        self.log_wealth += (self.stake() * d).ln_1p();
        self.pairs += 1.0;
        let apart = d - self.mean;
        self.mean += apart / self.pairs;
        self.squares += apart * (d - self.mean);
    }

    fn stake(&self) -> f64 {
        let mean = self.mean * self.pairs / (self.pairs + 1.0);
        let variance = (PRIOR + self.squares) / (self.pairs + 1.0);
        (mean / (variance + mean * mean)).clamp(0.0, MOST)
    }

    pub(super) fn have_begun(&self) -> bool {
        self.pairs > 0.0
    }

    /// Pairs until evidence reaches the bound, if d goes on as it is; `None`: never.
    pub(super) fn pairs_until(&self, bound: f64) -> Option<f64> {
        let (mean, variance) = (self.mean, self.squares / self.pairs.max(1.0));
        let growth = mean * mean / (2.0 * (variance + mean * mean));
        // No more than the most that is staked can win.
        let growth = growth.min((MOST * mean).ln_1p());
        let left = (bound - self.log_wealth).max(0.0);
        (mean > 0.0 && growth > 0.0).then(|| left / growth)
    }
}

/// Pairs each value of the rarer arm with the mean of the other's since the last pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pairing {
    waiting: VecDeque<f64>,
    sum: f64,
    count: f64,
}

impl Pairing {
    /// A value of the rarer arm, or of the other; gives the pair in that order.
    pub(super) fn see(&mut self, is_rarer: bool, value: f64) -> Option<(f64, f64)> {
        if is_rarer {
            self.waiting.push_back(value);
            if self.waiting.len() > WAITING {
                self.waiting.pop_front();
            }
        } else {
            self.sum += value;
            self.count += 1.0;
        }
        self.pair()
    }

    fn pair(&mut self) -> Option<(f64, f64)> {
        if self.count < 1.0 {
            return None;
        }
        let rarer = self.waiting.pop_front()?;
        let mean = self.sum / self.count;
        (self.sum, self.count) = (0.0, 0.0);
        Some((rarer, mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_bets_before_there_is_a_reason() {
        let mut bets = Bets::default();
        bets.bet(1.0);
        assert_eq!(bets.evidence(), 0.0);
        let mut losing = Bets::default();
        (0..100).for_each(|_| losing.bet(-0.3));
        assert_eq!(losing.evidence(), 0.0);
    }

    #[test]
    fn pairs_are_with_the_mean_since_the_last() {
        let mut pairing = Pairing::default();
        let seen = [
            (false, 1.0, None),
            (false, 2.0, None),
            (true, 7.0, Some((7.0, 1.5))),
            (true, 8.0, None),
            (true, 9.0, None),
            (false, 3.0, Some((8.0, 3.0))),
            (false, 4.0, Some((9.0, 4.0))),
            (false, 5.0, None),
        ];
        for (is_rarer, value, pair) in seen {
            assert_eq!(pairing.see(is_rarer, value), pair);
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut pairing = Pairing::default();
        (0..10_000).for_each(|at| assert_eq!(pairing.see(true, f64::from(at)), None));
        assert_eq!(pairing.waiting.len(), WAITING);
    }
}
