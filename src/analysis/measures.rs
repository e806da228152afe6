use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Calls;

/// Requests seen until half of them failing says something.
pub(crate) const SOME: u64 = 20;

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
    /// Requests whose replies have begun.
    #[serde(default)]
    pub(crate) heard: u64,
    /// What has begun in it and was not answered yet: (for so many microseconds at least, count).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) waiting: Vec<(u64, u64)>,
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
    #[serde(default)]
    pub(crate) tool_calls: u64,
    /// Requests that told their calls of tools.
    #[serde(default)]
    pub(crate) tool_call_requests: u64,
    /// Calls of the model.
    #[serde(default)]
    pub(crate) steps: u64,
    /// Requests that told their steps.
    #[serde(default)]
    pub(crate) step_requests: u64,
    /// What has begun in it and was answered, each by the longest time of its replies; as `latency`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) slowest: Vec<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Calls::is_none")]
    pub(crate) calls: Calls,
}

/// What one conversation used; `None`: it was not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) tokens: Option<u64>,
    pub(crate) cost_micros: Option<u64>,
    pub(crate) tool_calls: Option<u64>,
    pub(crate) steps: Option<u64>,
}

impl Measures {
    /// One of so many requests failed at least, of enough to say so.
    pub(crate) fn fails(&self, one_of: u64, enough: u64) -> bool {
        self.requests >= enough && self.errors * one_of >= self.requests
    }

    /// From 0 to 1; `None` before the first request has ended.
    pub(crate) fn error_rate(&self) -> Option<f64> {
        ratio(self.errors, self.requests)
    }

    /// Seconds within which this share (0 to 1) of the requests ended, rounded up to a bucket.
    pub(crate) fn latency(&self, share: f64) -> Option<f64> {
        within(&self.latency, share)
    }

    /// Seconds within which this share of the conversations had each of their replies.
    pub(crate) fn slowest(&self, share: f64) -> Option<f64> {
        within(&self.slowest, share)
    }

    /// How many conversations were answered.
    pub(crate) fn answered(&self) -> u64 {
        self.slowest.iter().map(|(_, count)| count).sum()
    }

    /// Of those, the ones with a reply that surely took longer; times are known to a bucket.
    pub(crate) fn slower_than(&self, seconds: f64) -> u64 {
        let slower = self
            .slowest
            .iter()
            .filter(|(bound, _)| *bound as f64 > seconds * 1e6);
        slower.map(|(_, count)| count).sum()
    }

    /// How many have begun and wait for an answer, surely for longer than that.
    pub(crate) fn waiting_for(&self, seconds: f64) -> u64 {
        let longer = self.waiting.iter();
        let longer = longer.filter(|(micros, _)| *micros as f64 >= seconds * 1e6);
        longer.map(|(_, count)| count).sum()
    }

    /// As if those who wait for longer than that had been answered just now: who waited for their
    /// answers first would never hear of the slowest.
    pub(crate) fn with_late(&self, seconds: f64) -> Self {
        let late = self.waiting.iter().copied();
        let late: Times = late
            .filter(|(micros, _)| *micros as f64 >= seconds * 1e6)
            .collect();
        Self {
            requests: self.requests + late.iter().map(|(_, count)| count).sum::<u64>(),
            latency: together(self.latency.clone(), &late),
            ..self.clone()
        }
    }

    /// Both stretches of time together.
    pub(crate) fn plus(self, more: &Self) -> Self {
        Self {
            since: self.since.min(more.since),
            requests: self.requests + more.requests,
            errors: self.errors + more.errors,
            open: more.open,
            heard: self.heard.saturating_add(more.heard),
            waiting: more.waiting.clone(),
            latency: together(self.latency, &more.latency),
            conversations: self.conversations + more.conversations,
            begun: self.begun + more.begun,
            failed: self.failed + more.failed,
            tokens: self.tokens.saturating_add(more.tokens),
            token_requests: self.token_requests + more.token_requests,
            cost_micros: self.cost_micros.saturating_add(more.cost_micros),
            cost_requests: self.cost_requests + more.cost_requests,
            tool_calls: self.tool_calls.saturating_add(more.tool_calls),
            tool_call_requests: self.tool_call_requests + more.tool_call_requests,
            steps: self.steps.saturating_add(more.steps),
            step_requests: self.step_requests + more.step_requests,
            slowest: together(self.slowest, &more.slowest),
            calls: self.calls.plus(&more.calls),
        }
    }

    /// What came after that; `None` where it was not all counted before this.
    pub(crate) fn minus(&self, before: &Self) -> Option<Self> {
        let of = |field: fn(&Self) -> u64| field(self).checked_sub(field(before));
        Some(Self {
            since: self.since,
            requests: of(|all| all.requests)?,
            errors: of(|all| all.errors)?,
            open: self.open,
            heard: of(|all| all.heard)?,
            waiting: self.waiting.clone(),
            latency: apart(&self.latency, &before.latency)?,
            conversations: of(|all| all.conversations)?,
            begun: of(|all| all.begun)?,
            failed: of(|all| all.failed)?,
            tokens: of(|all| all.tokens)?,
            token_requests: of(|all| all.token_requests)?,
            cost_micros: of(|all| all.cost_micros)?,
            cost_requests: of(|all| all.cost_requests)?,
            tool_calls: of(|all| all.tool_calls)?,
            tool_call_requests: of(|all| all.tool_call_requests)?,
            steps: of(|all| all.steps)?,
            step_requests: of(|all| all.step_requests)?,
            // One that began before may be slower now: it has moved.
            slowest: left(&self.slowest, &before.slowest),
            calls: self.calls.minus(&before.calls)?,
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
        let micros = self.per_conversation(self.cost_micros, self.cost_requests);
        micros.map(|micros| micros / 1e6)
    }

    pub(crate) fn tokens_per_conversation(&self) -> Option<f64> {
        self.per_conversation(self.tokens, self.token_requests)
    }

    pub(crate) fn tool_calls_per_conversation(&self) -> Option<f64> {
        self.per_conversation(self.tool_calls, self.tool_call_requests)
    }

    pub(crate) fn steps_per_conversation(&self) -> Option<f64> {
        self.per_conversation(self.steps, self.step_requests)
    }

    /// `None` where no request told it. Requests that belong to no conversation stand for themselves.
    fn per_conversation(&self, sum: u64, told: u64) -> Option<f64> {
        let units = match self.conversations {
            0 => self.requests,
            conversations => conversations,
        };
        ratio(sum, units).filter(|_| told > 0)
    }

    /// What was counted since an earlier look of the same stretch.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            since: self.since,
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            open: self.open,
            heard: self.heard.saturating_sub(earlier.heard),
            waiting: self.waiting.clone(),
            latency: less(&self.latency, &earlier.latency),
            conversations: self.conversations.saturating_sub(earlier.conversations),
            begun: self.begun.saturating_sub(earlier.begun),
            failed: self.failed.saturating_sub(earlier.failed),
            tokens: self.tokens.saturating_sub(earlier.tokens),
            token_requests: self.token_requests.saturating_sub(earlier.token_requests),
            cost_micros: self.cost_micros.saturating_sub(earlier.cost_micros),
            cost_requests: self.cost_requests.saturating_sub(earlier.cost_requests),
            tool_calls: self.tool_calls.saturating_sub(earlier.tool_calls),
            tool_call_requests: self
                .tool_call_requests
                .saturating_sub(earlier.tool_call_requests),
            steps: self.steps.saturating_sub(earlier.steps),
            step_requests: self.step_requests.saturating_sub(earlier.step_requests),
            slowest: less(&self.slowest, &earlier.slowest),
            calls: self.calls.since(&earlier.calls),
        }
    }
}

/// By time taken, as [`Measures::latency`].
pub(super) type Times = Vec<(u64, u64)>;

pub(super) fn together(one: Times, other: &Times) -> Times {
    let mut all = BTreeMap::from_iter(one);
    for (bound, count) in other {
        let sum = all.entry(*bound).or_insert(0);
        *sum = sum.saturating_add(*count);
    }
    all.into_iter().collect()
}

/// `None` where `before` is no part of `all`.
pub(super) fn apart(all: &Times, before: &Times) -> Option<Times> {
    let counts: BTreeMap<u64, u64> = all.iter().copied().collect();
    let is_part = |(bound, count): &(u64, u64)| counts.get(bound).is_some_and(|all| all >= count);
    before.iter().all(is_part).then(|| left(all, before))
}

fn left(all: &Times, before: &Times) -> Times {
    let before: BTreeMap<u64, u64> = before.iter().copied().collect();
    let less = |(bound, count): &(u64, u64)| {
        let left = count.saturating_sub(before.get(bound).copied().unwrap_or(0));
        (*bound, left)
    };
    all.iter()
        .map(less)
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// What was told of calls may be any number.
fn total(buckets: &[(u64, u64)]) -> u64 {
    let counts = buckets.iter().map(|(_, count)| *count);
    counts.fold(0, u64::saturating_add)
}

pub(super) fn within(buckets: &[(u64, u64)], share: f64) -> Option<f64> {
    let total = total(buckets);
    let rank = (total as f64 * share).ceil().max(1.0) as u64;
    let mut below = 0_u64;
    let holding = buckets.iter().find(|(_, count)| {
        below = below.saturating_add(*count);
        below >= rank
    });
    holding.map(|(bound, _)| *bound as f64 / 1e6)
}

pub(super) fn less(buckets: &[(u64, u64)], earlier: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let before = |bound: u64| earlier.iter().find(|(other, _)| *other == bound);
    let left = buckets.iter().map(|(bound, count)| {
        let before = before(*bound).map_or(0, |(_, count)| *count);
        (*bound, count.saturating_sub(before))
    });
    left.filter(|(_, count)| *count > 0).collect()
}

pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
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
    fn absurd_sums_stay_the_most_there_is() {
        let most = Measures {
            requests: 1,
            tokens: u64::MAX,
            token_requests: 1,
            calls: Calls {
                model: u64::MAX,
                latency: vec![(1_000, u64::MAX), (2_000, u64::MAX)],
                tokens: u64::MAX,
                tool: u64::MAX,
                tool_errors: u64::MAX,
            },
            ..Measures::default()
        };
        let both = most.clone().plus(&most);
        assert_eq!((both.requests, both.tokens), (2, u64::MAX));
        assert_eq!(both.calls, most.calls);
        assert_eq!(both.calls.latency(0.99), Some(0.001));
    }

    #[test]
    fn nothing_counted_is_nothing_known() {
        let none = Measures::default();
        assert_eq!(none.error_rate(), None);
        assert_eq!(none.tokens_per_request(), None);
        assert_eq!(none.cost_per_conversation(), None);
    }
}
