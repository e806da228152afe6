//! Both arms of an A/B test, as they do since it began.

use serde::Serialize;

use super::line::Line;
use super::words;
use crate::analysis::Measures;
use crate::analysis::judges::{Interval, Risk, quantile, rate};
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
    /// Where it lies, for both arms at once with the confidence of the rollout, however often one
    /// looks.
    #[serde(serialize_with = "ends")]
    pub(crate) failure_rate_within: Interval,
    /// Of requests, in seconds, as is the next.
    pub(crate) latency_p50: Option<f64>,
    pub(crate) latency_p95: Option<f64>,
    /// Of the slowest reply of each conversation, in seconds; the ends as above, an open one is null.
    pub(crate) slowest_p95: Option<f64>,
    pub(crate) slowest_p95_within: [Option<f64>; 2],
    pub(crate) tokens_per_conversation: Option<f64>,
    /// In the agent's currency.
    pub(crate) cost_per_conversation: Option<f64>,
}

fn ends<S: serde::Serializer>(interval: &Interval, to: S) -> Result<S::Ok, S::Error> {
    [interval.low, interval.high].serialize(to)
}

impl Arm {
    /// Nothing where no test is on.
    pub(crate) fn of(rollout: &Rollout, seen: &Seen) -> Vec<Self> {
        let plan = rollout.plan();
        // Half of it for each arm: then both are right.
        let risk = Risk::new((1.0 - plan.confidence) / 2.0);
        let Some(risk) = risk.filter(|_| rollout.is_test()) else {
            return Vec::new();
        };
        let arms = [('a', plan.stable()), ('b', Some(plan.to))];
        let arms = arms.into_iter();
        arms.filter_map(|(arm, id)| Some(Self::new(arm, id?, seen.window(id?)?, risk)))
            .collect()
    }

    fn new(arm: char, release: ReleaseId, window: &Measures, risk: Risk) -> Self {
        let share = window.failed as f64 / window.begun as f64;
        let (low, high) = quantile(0.95, &window.slowest, risk);
        let seconds = |micros: u64| micros as f64 / 1e6;
        Self {
            arm,
            release,
            begun: window.begun,
            failed: window.failed,
            failure_rate: (window.begun > 0).then_some(share),
            failure_rate_within: rate(window.failed, window.begun, risk),
            latency_p50: window.latency(0.50),
            latency_p95: window.latency(0.95),
            slowest_p95: window.slowest(0.95),
            slowest_p95_within: [low.map(seconds), high.map(seconds)],
            tokens_per_conversation: window.tokens_per_conversation(),
            cost_per_conversation: window.cost_per_conversation(),
        }
    }

    /// `a  r1: 120 conversations, 0.8 % failed (0.0 to 6.1), p95 210 ms, 812 tokens each`.
    pub(super) fn line(&self) -> Line {
        let Interval { low, high } = self.failure_rate_within;
        let ends = format!("({:.1} to {:.1})", low * 100.0, high * 100.0);
        let parts = [
            Some(words::some(self.begun, "conversation")),
            self.failure_rate
                .map(|rate| format!("{} failed {ends}", words::rate(rate))),
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

/// What the arms' failures say of one another: `b fails 0.4 to 3.1 points more`.
pub(super) fn difference(arms: &[Arm]) -> Option<Line> {
    let [a, b] = arms else {
        return None;
    };
    let Interval { low, high } = b.failure_rate_within.minus(a.failure_rate_within);
    let points = |low: f64, high: f64| format!("{:.1} to {:.1}", low * 100.0, high * 100.0);
    Some(match () {
        () if low > 0.0 => format!("b fails more: by {} points", points(low, high)).into(),
        () if high < 0.0 => format!("b fails less: by {} points", points(-high, -low)).into(),
        () => Line::default().dim(format!(
            "which fails more is not known: b − a is {} points",
            points(low, high)
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(arm: char, failed: u64) -> Arm {
        let window = Measures {
            begun: 2000,
            failed,
            ..Measures::default()
        };
        Arm::new(arm, ReleaseId(1), &window, Risk::new(0.005).unwrap())
    }

    #[test]
    fn which_fails_more_is_said_once_it_is_sure() {
        let said = |a, b| {
            let line = difference(&[arm('a', a), arm('b', b)]).unwrap();
            line.paint(false)
        };
        assert!(said(20, 24).starts_with("which fails more is not known: b − a is -"));
        assert!(
            said(20, 120).starts_with("b fails more: by "),
            "{}",
            said(20, 120)
        );
        assert!(
            said(120, 20).starts_with("b fails less: by "),
            "{}",
            said(120, 20)
        );
        assert!(difference(&[arm('a', 1)]).is_none());
    }
}
