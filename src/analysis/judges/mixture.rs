//! The conditional relative-risk mixture (statistics.md 4.2).
//!
//! Given a failure while the candidate's share is ρ, it is the candidate's with probability
//! θ(r) = ρr / (ρr + 1 − ρ), whatever the rate of failures does meanwhile; r is the ratio of the
//! candidate's rate to the stable release's. With X failures of the candidate and Y of the stable
//! release in each step, evidence against r₀ is ln of the mean over a grid of ratios r of
//!
//! Π (θ(r)/θ(r₀))^X · ((1 − θ(r))/(1 − θ(r₀)))^Y.
//!
//! ln(θ(r)/θ(r₀)) = ln(r/r₀) − b and ln((1 − θ(r))/(1 − θ(r₀))) = −b, where
//! b = ln((ρr + 1 − ρ)/(ρr₀ + 1 − ρ)); so a step adds X·ln(r/r₀) − (X + Y)·b.

use super::ln_mean;
use super::terms::Share;

const POINTS: usize = 48;

/// The largest and smallest ratios that the grids hold.
const MOST: f64 = 20.0;
const LEAST: f64 = 0.05;

/// ln of the number of points.
pub(super) const SPREAD: f64 = 3.871_201_010_907_891;

/// Failures of one step: the candidate's, and all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    pub(super) candidate: f64,
    pub(super) all: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Mixture {
    null: f64,
    ratios: [f64; POINTS],
    /// ln(r/r₀).
    rises: [f64; POINTS],
    /// b, by step.
    bends: Vec<[f64; POINTS]>,
}

impl Mixture {
    /// Evidence that the ratio is above `null`.
    pub(super) fn above(null: f64) -> Self {
        Self::between(null, null, MOST)
    }

    /// Evidence that the ratio is below `null`.
    pub(super) fn below(null: f64) -> Self {
        Self::between(null, LEAST, null)
    }

    fn between(null: f64, least: f64, most: f64) -> Self {
        let width = (most / least).ln();
        let at = |point: usize| (point as f64 + 0.5) / POINTS as f64;
        let ratios = std::array::from_fn(|point| least * (at(point) * width).exp());
        Self {
            null,
            ratios,
            rises: ratios.map(|ratio| (ratio / null).ln()),
            bends: Vec::new(),
        }
    }

    /// A step with this share begins.
    pub(super) fn enter(&mut self, share: Share) {
        let share = share.get();
        let mix = |ratio: f64| share * ratio + 1.0 - share;
        let null = mix(self.null);
        self.bends
            .push(self.ratios.map(|ratio| (mix(ratio) / null).ln()));
    }

    /// `steps`: as many as were entered.
    pub(super) fn evidence(&self, steps: impl Iterator<Item = Failures>) -> f64 {
        ln_mean(self.logs(steps).iter().copied())
    }

    /// The best of the grid: evidence is at most this, and at least this less [`SPREAD`], for a
    /// hundredth of the time.
    pub(super) fn peak(&self, steps: impl Iterator<Item = Failures>) -> f64 {
        let logs = self.logs(steps);
        logs.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn logs(&self, steps: impl Iterator<Item = Failures>) -> [f64; POINTS] {
        let mut logs = [0.0; POINTS];
        for (bends, failures) in self.bends.iter().zip(steps) {
            for ((log, rise), bend) in logs.iter_mut().zip(&self.rises).zip(bends) {
                *log += failures.candidate * rise - failures.all * bend;
            }
        }
        logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(mut mixture: Mixture, steps: &[(f64, f64, f64)]) -> f64 {
        for (share, _, _) in steps {
            mixture.enter(Share::new(*share).unwrap());
        }
        mixture.evidence(steps.iter().map(|(_, candidate, stable)| Failures {
            candidate: *candidate,
            all: candidate + stable,
        }))
    }

    /// The first is given in statistics.md; the others were computed from the formula as it is
    /// written there, by another program.
    #[test]
    fn vectors() {
        let three: &[_] = &[(0.05, 3.0, 20.0), (0.25, 9.0, 12.0), (0.5, 7.0, 2.0)];
        let two: &[_] = &[(0.05, 3.0, 60.0), (0.25, 9.0, 30.0)];
        let cases = [
            (Mixture::above(1.0), &[(0.1, 10.0, 40.0)][..], 0.989_291),
            (Mixture::above(1.25), &[(0.1, 10.0, 40.0)], 0.020_294_405),
            (Mixture::above(1.0), three, 2.727_713_836),
            (Mixture::below(2.0), &[(0.1, 10.0, 90.0)], 1.113_947_320),
            (Mixture::below(2.0), two, 1.977_514_913),
            (Mixture::below(1.5), &[(0.5, 40.0, 44.0)], 0.786_501_206),
        ];
        for (mixture, steps, wanted) in cases {
            let found = evidence(mixture, steps);
            assert!((found - wanted).abs() < 1e-5, "{found} for {wanted}");
        }
    }

    #[test]
    fn nothing_seen_is_no_evidence() {
        assert!(evidence(Mixture::above(1.0), &[]).abs() < 1e-12);
        assert!(evidence(Mixture::below(2.0), &[(0.1, 0.0, 0.0)]).abs() < 1e-12);
    }
}
