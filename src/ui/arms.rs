//! Both arms of an A/B test, as they do since it began.

use serde::Serialize;

use super::line::Line;
use super::words;
use crate::release::ReleaseId;
use crate::rollout::Rollout;
use crate::target::Seen;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Arm {
    pub(crate) arm: char,
    pub(crate) release: ReleaseId,
    /// Conversations that began, and requests that belong to none.
    pub(crate) begun: u64,
    /// Of those, the ones with an error.
    pub(crate) failed: u64,
    pub(crate) failure_rate: Option<f64>,
    /// Of requests, in seconds, as is the next.
    pub(crate) latency_p50: Option<f64>,
    pub(crate) latency_p95: Option<f64>,
    pub(crate) tokens_per_conversation: Option<f64>,
    /// In the agent's currency.
    pub(crate) cost_per_conversation: Option<f64>,
}

impl Arm {
    /// Nothing where no test is on.
    pub(crate) fn of(rollout: &Rollout, seen: &Seen) -> Vec<Self> {
        let plan = rollout.plan();
        let arms = [('a', plan.stable()), ('b', Some(plan.to))];
        let arms = arms.into_iter().filter(|_| rollout.is_test());
        arms.filter_map(|(arm, id)| Self::new(arm, id?, seen))
            .collect()
    }

    fn new(arm: char, release: ReleaseId, seen: &Seen) -> Option<Self> {
        let window = seen.window(release)?;
        let rate = window.failed as f64 / window.begun as f64;
        Some(Self {
            arm,
            release,
            begun: window.begun,
            failed: window.failed,
            failure_rate: (window.begun > 0).then_some(rate),
            latency_p50: window.latency(0.50),
            latency_p95: window.latency(0.95),
            tokens_per_conversation: window.tokens_per_conversation(),
            cost_per_conversation: window.cost_per_conversation(),
        })
    }

    /// `a  r1: 120 conversations, 0.8 % failed, p95 210 ms, 812 tokens each`.
    pub(super) fn line(&self) -> Line {
        let parts = [
            Some(words::some(self.begun, "conversation")),
            self.failure_rate
                .map(|rate| format!("{} failed", words::rate(rate))),
            self.latency_p95
                .map(|time| format!("p95 {}", words::latency(time))),
            self.tokens_per_conversation
                .map(|tokens| format!("{tokens:.0} tokens each")),
            self.cost_per_conversation
                .map(|cost| format!("{cost:.4} each")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        Line::default()
            .plain(format!("{}  {}: ", self.arm, self.release))
            .plain(parts.join(", "))
    }
}
