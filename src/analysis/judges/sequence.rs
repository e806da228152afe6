//! Where a rate or a quantile of one arm lies, so surely however often one looks: confidence
//! sequences by the beta-binomial mixture of Howard and Ramdas (Bernoulli 28(3), 2022; statistics.md
//! 4.4 C3). A rate is in it while the evidence against it, that of `split`, is below ln(1 / risk).

use super::split::evidence;
use super::terms::Risk;

/// k of the mixture; the sequence is narrowest at about a thousand conversations.
const PRIOR: f64 = 124.99;
/// At 0 and at 1 there is no evidence to be had: this near counts as there.
const LEAST: f64 = 1e-12;
/// Halvings: finer than any figure that is shown.
const STEPS: usize = 40;

/// Both ends, which may lie in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Where a difference to `other` lies.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            low: self.low - other.high,
            high: self.high - other.low,
        }
    }
}

/// Where the rate lies of which `hits` of `of` are known; from 0 to 1 where nothing is.
#[must_use]
pub fn rate(hits: u64, of: u64, risk: Risk) -> Interval {
    within(PRIOR, hits as f64, of.saturating_sub(hits) as f64, risk)
}

fn within(prior: f64, hits: f64, misses: f64, risk: Risk) -> Interval {
    let all = hits + misses;
    let found = if all > 0.0 { hits / all } else { 0.5 };
    let found = found.clamp(LEAST, 1.0 - LEAST);
    let is_plausible = |rate: f64| evidence(prior, rate, hits, misses) < risk.bound();
    Interval {
        low: end(found, 0.0, is_plausible),
        high: end(found, 1.0, is_plausible),
    }
}

/// The last that is plausible on the way from `inside` to `outside`.
fn end(mut inside: f64, mut outside: f64, is_plausible: impl Fn(f64) -> bool) -> f64 {
    if is_plausible(outside.clamp(LEAST, 1.0 - LEAST)) {
        return outside;
    }
    for _ in 0..STEPS {
        let middle = f64::midpoint(inside, outside);
        match is_plausible(middle) {
            true => inside = middle,
            false => outside = middle,
        }
    }
    inside
}

/// Where the value lies that `share` (between 0 and 1) of all are not above, from counts by upper
/// bounds that rise; `None` where an end is not known yet.
#[must_use]
pub fn quantile(share: f64, counts: &[(u64, u64)], risk: Risk) -> (Option<u64>, Option<u64>) {
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let (mut low, mut below) = (None, 0);
    for (bound, count) in counts {
        below += count;
        let (hits, misses) = (below as f64, (all - below) as f64);
        if evidence(PRIOR, share, hits, misses) < risk.bound() {
            continue;
        }
        match hits < share * all as f64 {
            true => low = Some(*bound),
            false => return (low, Some(*bound)),
        }
    }
    (low, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn risk(risk: f64) -> Risk {
        Risk::new(risk).unwrap()
    }

    /// Given in statistics.md, for a sequence that is narrowest at 100.
    #[test]
    fn vector() {
        let prior = 100.0 / (2.0 * 20_f64.ln() + (1.0 + 2.0 * 20_f64.ln()).ln()) - 1.0;
        let found = within(prior, 700.0, 300.0, risk(0.05));
        assert!((found.low - 0.651_629).abs() < 1e-5, "{found:?}");
        assert!((found.high - 0.745_949).abs() < 1e-5, "{found:?}");
        let ours = 1000.0 / (2.0 * 20_f64.ln() + (1.0 + 2.0 * 20_f64.ln()).ln()) - 1.0;
        assert!((ours - PRIOR).abs() < 0.05, "{ours}");
    }

    #[test]
    fn nothing_is_excluded_without_data_and_ends_stay_open() {
        assert_eq!(
            rate(0, 0, risk(0.01)),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
        let none = rate(0, 1000, risk(0.01));
        assert!(none.low == 0.0 && none.high < 0.04, "{none:?}");
        let all = rate(1000, 1000, risk(0.01));
        assert!(all.low > 0.96 && all.high == 1.0, "{all:?}");
    }

    #[test]
    fn quantiles_lie_between_bounds_that_are_surely_beside_them() {
        assert_eq!(quantile(0.5, &[], risk(0.01)), (None, None));
        let even: Vec<(u64, u64)> = (1..=100).map(|bound| (bound, 100)).collect();
        let (low, high) = quantile(0.5, &even, risk(0.01));
        assert!(low.unwrap() < 50 && low.unwrap() > 40, "{low:?}");
        assert!(high.unwrap() > 50 && high.unwrap() < 60, "{high:?}");
        assert_eq!(quantile(0.5, &[(7, 3)], risk(0.01)), (None, None));
    }

    /// A rate of 2 per cent, looked at after each of 2,000, is left outside in few of many runs.
    #[test]
    fn looking_again_and_again_is_allowed() {
        let (mut left, mut state) = (0, 7_u64);
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % 50 == 0
        };
        for _ in 0..400 {
            let mut hits = 0;
            let outside = (1..=2000_u64).any(|of| {
                hits += u64::from(draw());
                evidence(PRIOR, 0.02, hits as f64, (of - hits) as f64) >= risk(0.05).bound()
            });
            left += u32::from(outside);
        }
        assert!(left <= 20 + 13, "{left} of 400");
    }
}
