//! Is the split the ordered one? Two arms of Lindon and Malek (NeurIPS 2022, arXiv 2011.03567;
//! statistics.md 4.3): evidence against a share ρ from X of the candidate and Y of the stable release,
//! ln B(kρ + X, k(1 − ρ) + Y) − ln B(kρ, k(1 − ρ)) − X ln ρ − Y ln(1 − ρ).

use libm::lgamma;

use super::terms::Share;

/// k: how narrowly other shares than the ordered one are looked for.
const PRIOR: f64 = 100.0;

/// ln(1 / 0.001).
const BROKEN: f64 = 6.907_755;

pub(super) fn holds(share: Share, candidate: u64, stable: u64) -> bool {
    evidence(PRIOR, share.get(), candidate as f64, stable as f64) < BROKEN
}

pub(super) fn evidence(prior: f64, share: f64, candidate: f64, stable: f64) -> f64 {
    let (a, b) = (prior * share, prior * (1.0 - share));
    ln_beta(a + candidate, b + stable)
        - ln_beta(a, b)
        - candidate * share.ln()
        - stable * (1.0 - share).ln()
}

fn ln_beta(a: f64, b: f64) -> f64 {
    lgamma(a) + lgamma(b) - lgamma(a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two are given in statistics.md.
    #[test]
    fn vectors() {
        let cases = [
            ((100.0, 0.1, 10.0, 40.0), 0.515_524),
            ((2.0, 0.5, 30.0, 10.0), 3.454_324),
            ((100.0, 0.05, 80.0, 920.0), 6.019_095),
        ];
        for ((prior, share, candidate, stable), wanted) in cases {
            let found = evidence(prior, share, candidate, stable);
            assert!((found - wanted).abs() < 1e-5, "{found} for {wanted}");
        }
    }

    #[test]
    fn turns_hold_and_another_share_does_not() {
        let tenth = Share::new(0.1).unwrap();
        assert!(holds(tenth, 0, 0));
        assert!(holds(tenth, 1_000_000, 9_000_000));
        assert!(!holds(tenth, 500, 500));
        assert!(!holds(tenth, 0, 2_000));
    }
}
