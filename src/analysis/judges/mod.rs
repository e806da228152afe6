//! Judges that may be asked at every event: is the candidate worse than the stable release beside it?
//!
//! Pure. Each keeps evidence: the natural logarithm of an e-value, a quantity that begins at 0 and,
//! while the candidate is harmless, ever reaches ln(1 / risk) with a probability of at most `risk`,
//! however often it is looked at (Ville's inequality). Invariants: evidence is worth the same
//! whether it was gathered in one go or cut anywhere and resumed from what was written down; where
//! an arm is empty, a figure is not a number or the split is not the ordered one, nothing is found.

mod betting;
mod latency;
mod missing;
mod mixture;
mod promise;
mod rates;
mod scores;
mod sequence;
mod spend;
mod split;
mod terms;

pub use betting::Bets;
pub use latency::{Latency, LatencyEvidence, Thresholds};
pub use missing::Missing;
pub use promise::{Kind, Promise};
pub use rates::{Count, Rates, Tally, Unit};
pub use scores::{Found, Score, Scores, harm};
pub use sequence::{Interval, quantile, rate};
pub use spend::{Spend, SpendEvidence};
pub use terms::{Arm, Cap, Confidence, Margin, Risk, Share};

pub use super::judge::Finding;

/// The risk of ending a step early although the candidate does the harm that is excluded.
pub const EARLY: Risk = Risk::FIVE_PER_CENT;

/// What two e-values say together: whether the logarithm of each reaches a bound.
fn finding(
    is_worse: impl FnOnce(f64) -> bool,
    is_harmless: impl FnOnce(f64) -> bool,
    risk: Risk,
) -> Finding {
    if is_worse(risk.bound()) {
        Finding::Fail
    } else if is_harmless(EARLY.bound()) {
        Finding::Pass
    } else {
        Finding::Unclear
    }
}

/// ln of the mean of e-values, from their logarithms: an e-value again, whatever they depend on.
fn ln_mean(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, count) = logs.fold((0.0, 0.0), |(sum, count), log| {
        (sum + (log - most).exp(), count + 1.0)
    });
    most + (sum / count).ln()
}

#[cfg(test)]
mod tests;
