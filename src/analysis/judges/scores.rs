//! Scores from 0 to 1 that a model gave to conversations: whether their mean reaches a bound, and
//! whether it is below that of the stable release in the same conversations. Betting on each
//! (statistics.md 4.5 D1), so that it may be looked at after every one.

use serde::{Deserialize, Serialize};

use super::betting::Bets;
use super::terms::{Margin, Risk};
use super::{EARLY, Finding, finding};

/// The least loss that is excluded before a candidate counts as no worse.
const HARM: f64 = 0.1;

/// How fine a spread is told.
const GRID: u32 = 200;

/// One conversation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub candidate: f64,
    /// The same conversation with the stable release, where that is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stable: Option<f64>,
}

/// In the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scores(pub Vec<Score>);

/// Two e-values: that the scores are too low, and that they are not.
#[derive(Clone, Debug, Default)]
pub struct Found {
    worse: Bets,
    harmless: Bets,
}

impl Scores {
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        mean(self.0.iter().map(|score| score.candidate))
    }

    #[must_use]
    pub fn stable_mean(&self) -> Option<f64> {
        mean(self.0.iter().filter_map(|score| score.stable))
    }

    /// What the mean of such conversations surely is: below it with a probability of 5 % at most,
    /// above it with `risk`, however often it is looked at.
    #[must_use]
    pub fn spread(&self, risk: Risk) -> (f64, f64) {
        let at = |step: u32| f64::from(step) / f64::from(GRID);
        let above = |least: &u32| self.reaching(at(*least)).harmless.evidence() >= EARLY.bound();
        let below = |most: &u32| self.reaching(at(*most)).worse.evidence() >= risk.bound();
        let from = (0..GRID)
            .take_while(|least| *least == 0 || above(least))
            .last();
        let to = (1..=GRID)
            .rev()
            .take_while(|most| *most == GRID || below(most))
            .last();
        (at(from.unwrap_or(0)), at(to.unwrap_or(GRID)))
    }

    /// Whether the mean is at least this.
    #[must_use]
    pub fn reaching(&self, least: f64) -> Found {
        let scale = least.max(1.0 - least);
        let mut found = Found::default();
        for score in &self.0 {
            let beyond = (score.candidate - least) / scale;
            found.worse.bet(-beyond);
            found.harmless.bet(beyond);
        }
        found
    }

    /// Whether the mean is no more below the stable release's than a part of that.
    #[must_use]
    pub fn beside(&self, margin: Margin) -> Found {
        let pairs = self.0.iter();
        let pairs = pairs.filter_map(|score| Some((score.candidate, score.stable?)));
        let mut found = Found::default();
        for (candidate, stable) in pairs {
            found.worse.bet(stable * (1.0 - margin.get()) - candidate);
            found
                .harmless
                .bet(candidate - stable * (1.0 - harm(margin)));
        }
        found
    }
}

/// The loss that is excluded: a tenth, and well beyond the margin.
#[must_use]
pub fn harm(margin: Margin) -> f64 {
    (2.0 * margin.get()).max(HARM)
}

impl Found {
    #[must_use]
    pub fn finding(&self, risk: Risk) -> Finding {
        let is_worse = |bound| self.worse.evidence() >= bound;
        finding(is_worse, |bound| self.harmless.evidence() >= bound, risk)
    }

    /// ln of the e-value that they are too low.
    #[must_use]
    pub fn worse(&self) -> f64 {
        self.worse.evidence()
    }

    /// ln of the e-value that they are not.
    #[must_use]
    pub fn harmless(&self) -> f64 {
        self.harmless.evidence()
    }

    /// Conversations until they are found not to be too low, if it goes on as it does; `None`: never.
    #[must_use]
    pub fn missing(&self) -> Option<u64> {
        let pairs = self.harmless.pairs_until(EARLY.bound())?;
        Some(pairs.ceil().max(1.0) as u64)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::judges::Confidence;
    use crate::analysis::judges::{Kind, Promise};

    fn risk() -> Risk {
        Promise::new(Confidence::new(0.99).unwrap()).split(&[Kind::Custom])[0]
    }

    fn scores(of: impl Iterator<Item = (f64, Option<f64>)>) -> Scores {
        let score = |(candidate, stable)| Score { candidate, stable };
        Scores(of.map(score).collect())
    }

    /// Nearly good, and each a little different.
    fn around(mean: f64, count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(move |at| mean + 0.05 * (f64::from(at % 3) - 1.0))
    }

    #[test]
    fn a_bound_is_reached_missed_or_not_known() {
        let cases = [
            (0.95, 3, Finding::Unclear),
            (0.95, 40, Finding::Pass),
            (0.30, 3, Finding::Unclear),
            (0.30, 20, Finding::Fail),
            (0.80, 200, Finding::Unclear),
        ];
        for (mean, count, wanted) in cases {
            let scores = scores(around(mean, count).map(|score| (score, None)));
            let found = scores.reaching(0.8);
            assert_eq!(found.finding(risk()), wanted, "{count} around {mean}");
        }
    }

    #[test]
    fn the_spread_holds_the_mean_and_shrinks() {
        let mut before = 1.0;
        for count in [1, 10, 30, 100, 400] {
            let scores = scores(around(0.7, count).map(|score| (score, None)));
            let (from, to) = scores.spread(risk());
            assert!(from <= 0.7 && 0.7 <= to, "{from} to {to}");
            assert!(to - from <= before, "{from} to {to} of {count}");
            before = to - from;
        }
        assert!(before < 0.1, "{before}");
        assert_eq!(Scores::default().spread(risk()), (0.0, 1.0));
    }

    #[test]
    fn pairs_tell_what_is_worse() {
        let margin = Margin::new(0.05).unwrap();
        let cases = [
            (0.9, 0.9, 60, Finding::Pass),
            (0.9, 0.9, 3, Finding::Unclear),
            (0.5, 0.9, 40, Finding::Fail),
            (0.87, 0.9, 5, Finding::Unclear),
        ];
        for (candidate, stable, count, wanted) in cases {
            let pairs = around(candidate, count).map(|score| (score, Some(stable)));
            let found = scores(pairs).beside(margin);
            assert_eq!(found.finding(risk()), wanted, "{candidate} beside {stable}");
        }
    }

    #[test]
    fn what_is_missing_is_about_right() {
        let few = scores(around(0.95, 10).map(|score| (score, None)));
        let missing = few.reaching(0.8).missing().unwrap();
        let more = 10 + u32::try_from(missing).unwrap() * 2;
        let enough = scores(around(0.95, more).map(|score| (score, None)));
        assert_eq!(enough.reaching(0.8).finding(risk()), Finding::Pass);
        let never = scores(around(0.5, 10).map(|score| (score, None)));
        assert_eq!(never.reaching(0.8).missing(), None);
    }

    /// Scores that are all or nothing, with a mean exactly at the bound: stopped no more often than
    /// was promised, though looked at after each.
    #[test]
    fn a_release_that_just_reaches_it_is_hardly_ever_stopped() {
        let (mut state, mut stopped) = (7_u64, 0);
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..400 {
            let (mut bets, mut most) = (Bets::default(), 0.0_f64);
            for _ in 0..300 {
                let score = if next() < 0.8 { 1.0 } else { 0.0 };
                bets.bet((0.8 - score) / 0.8);
                most = most.max(bets.evidence());
            }
            stopped += u32::from(most >= risk().bound());
        }
        assert!(stopped <= 8, "{stopped} of 400");
    }
}
