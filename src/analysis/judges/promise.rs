use super::terms::{Confidence, Risk};

/// What a gate judges: how much of the rollout's risk it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Errors,
    Latency,
    Spend,
    Custom,
}

/// One promise per rollout: a harmless release is stopped by statistics with a probability of at
/// most 1 − confidence, whatever the number of gates, looks and steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Promise(Confidence);

impl Promise {
    #[must_use]
    pub fn new(confidence: Confidence) -> Self {
        Self(confidence)
    }

    /// Each gate's part of the risk, in their order; together never more than was promised (the
    /// union bound). Shares as in statistics.md 4.6, among the kinds that there are.
    #[must_use]
    pub fn split(self, gates: &[Kind]) -> Vec<Risk> {
        let whole: f64 = gates.iter().map(|kind| kind.weight()).sum();
        let risk = 1.0 - self.0.get();
        let part = |kind: &Kind| Risk::new(risk * kind.weight() / whole);
        gates.iter().filter_map(part).collect()
    }
}

impl Kind {
    fn weight(self) -> f64 {
        match self {
            Self::Errors => 0.4,
            Self::Latency => 0.3,
            Self::Spend => 0.2,
            Self::Custom => 0.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_the_promise() {
        let promise = Promise::new(Confidence::new(0.99).unwrap());
        let all = [Kind::Errors, Kind::Latency, Kind::Spend, Kind::Custom];
        let cases: [(&[Kind], &[f64]); 4] = [
            (&[], &[]),
            (&[Kind::Spend], &[0.01]),
            (&all, &[0.004, 0.003, 0.002, 0.001]),
            (&[Kind::Errors, Kind::Errors], &[0.005, 0.005]),
        ];
        for (gates, wanted) in cases {
            let parts = promise.split(gates);
            assert_eq!(parts.len(), wanted.len());
            for (part, wanted) in parts.iter().zip(wanted) {
                assert!((part.get() - wanted).abs() < 1e-12, "{gates:?}");
            }
        }
    }
}
