use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was counted of one release's requests over one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measures {
    /// Milliseconds since the Unix epoch: when counting began.
    pub(crate) since: u64,
    /// Requests that have ended.
    pub(crate) requests: u64,
    /// Of those, the ones that failed.
    pub(crate) errors: u64,
    /// Requests that have not ended yet.
    pub(crate) open: u64,
    /// Ended requests by time taken: (upper bound in microseconds, count), bounds rising.
    pub(crate) latency: Vec<(u64, u64)>,
    pub(crate) conversations: u64,
    /// Conversations that began in it, and requests that belong to none.
    #[serde(default)]
    pub(crate) begun: u64,
    /// Of those, the ones that failed, however often.
    #[serde(default)]
    pub(crate) failed: u64,
    pub(crate) tokens: u64,
    /// Requests that told their tokens.
    pub(crate) token_requests: u64,
    /// In millionths of the agent's currency.
    pub(crate) cost_micros: u64,
    /// Requests that told their cost.
    pub(crate) cost_requests: u64,
}

impl Measures {
    /// From 0 to 1; `None` before the first request has ended.
    pub(crate) fn error_rate(&self) -> Option<f64> {
        ratio(self.errors, self.requests)
    }

    /// Seconds within which this share (0 to 1) of the requests ended, rounded up to a bucket.
    pub(crate) fn latency(&self, share: f64) -> Option<f64> {
        let total: u64 = self.latency.iter().map(|(_, count)| count).sum();
        let rank = (total as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        self.latency
            .iter()
            .find(|(_, count)| {
                below += count;
                below >= rank
            })
            .map(|(bound, _)| *bound as f64 / 1e6)
    }

    /// Both stretches of time together.
    pub(crate) fn plus(self, more: &Self) -> Self {
        let mut latency = BTreeMap::from_iter(self.latency);
        for (bound, count) in &more.latency {
            *latency.entry(*bound).or_insert(0) += count;
        }
        Self {
            since: self.since.min(more.since),
            requests: self.requests + more.requests,
            errors: self.errors + more.errors,
            open: more.open,
            latency: latency.into_iter().collect(),
            conversations: self.conversations + more.conversations,
            begun: self.begun + more.begun,
            failed: self.failed + more.failed,
            tokens: self.tokens + more.tokens,
            token_requests: self.token_requests + more.token_requests,
            cost_micros: self.cost_micros + more.cost_micros,
            cost_requests: self.cost_requests + more.cost_requests,
        }
    }

    /// What came after that; `None` where it was not all counted before this.
    pub(crate) fn minus(&self, before: &Self) -> Option<Self> {
        let mut latency: BTreeMap<u64, u64> = self.latency.iter().copied().collect();
        for (bound, count) in &before.latency {
            let now = latency.get_mut(bound)?;
            *now = now.checked_sub(*count)?;
        }
        let of = |field: fn(&Self) -> u64| field(self).checked_sub(field(before));
        Some(Self {
            since: self.since,
            requests: of(|all| all.requests)?,
            errors: of(|all| all.errors)?,
            open: self.open,
            latency: latency
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect(),
            conversations: of(|all| all.conversations)?,
            begun: of(|all| all.begun)?,
            failed: of(|all| all.failed)?,
            tokens: of(|all| all.tokens)?,
            token_requests: of(|all| all.token_requests)?,
            cost_micros: of(|all| all.cost_micros)?,
            cost_requests: of(|all| all.cost_requests)?,
        })
    }

    /// The same with only so much of the times that 50, 95, 99 and 100 per cent of the requests
    /// ended within are still told.
    pub(crate) fn in_short(mut self) -> Self {
        let total: u64 = self.latency.iter().map(|(_, count)| count).sum();
        let (mut short, mut below) = (Vec::new(), 0);
        for share in [0.50, 0.95, 0.99, 1.0] {
            let rank = (total as f64 * share).ceil() as u64;
            let bound = self.latency(share).filter(|_| rank > below);
            let micros = bound.map(|seconds| (seconds * 1e6).round() as u64);
            short.extend(micros.map(|micros| (micros, rank - below)));
            below = below.max(rank);
        }
        self.latency = short;
        self
    }

    pub(crate) fn tokens_per_request(&self) -> Option<f64> {
        ratio(self.tokens, self.token_requests)
    }

    /// In the agent's currency.
    pub(crate) fn cost_per_conversation(&self) -> Option<f64> {
        match self.cost_requests {
            0 => None,
            _ => ratio(self.cost_micros, self.conversations).map(|micros| micros / 1e6),
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_bucket_that_holds_the_rank() {
        let measures = Measures {
            latency: vec![(1_000, 50), (2_000, 45), (500_000, 5)],
            ..Measures::default()
        };
        let cases = [
            (0.0, 0.001),
            (0.5, 0.001),
            (0.51, 0.002),
            (0.95, 0.002),
            (0.99, 0.5),
        ];
        for (share, seconds) in cases {
            assert_eq!(measures.latency(share), Some(seconds), "at {share}");
        }
        assert_eq!(Measures::default().latency(0.5), None);
    }

    #[test]
    fn in_short_the_quantiles_are_the_same() {
        let cases = [
            vec![],
            vec![(1_000, 1)],
            vec![(1_000, 7), (9_007, 1), (10_000, 1)],
            (1..400).map(|at| (at * 997, at % 7 + 1)).collect(),
        ];
        for latency in cases {
            let whole = Measures {
                latency,
                ..Measures::default()
            };
            let short = whole.clone().in_short();
            assert!(short.latency.len() <= 4);
            for share in [0.50, 0.95, 0.99, 1.0] {
                assert_eq!(short.latency(share), whole.latency(share), "{share}");
            }
        }
    }

    #[test]
    fn nothing_counted_is_nothing_known() {
        let none = Measures::default();
        assert_eq!(none.error_rate(), None);
        assert_eq!(none.tokens_per_request(), None);
        assert_eq!(none.cost_per_conversation(), None);
    }
}
