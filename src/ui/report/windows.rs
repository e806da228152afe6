//! What was counted of each release: by the stretch of time in which shares were as they were, and
//! in all.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::Measures;
use crate::release::ReleaseId;
use crate::rollout::{Measured, Plan, Rollout, Stamp};
use crate::spec::Percent;
use crate::ui::serving::Role;

#[derive(Debug, Serialize)]
pub(super) struct WindowFigures {
    /// The last step that it was part of.
    pub(super) step: usize,
    /// The new release's share.
    pub(super) weight: Percent,
    pub(super) stable: Option<Figures>,
    pub(super) candidate: Option<Figures>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReleaseFigures {
    pub(super) release: ReleaseId,
    pub(super) role: Role,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

/// Latencies in seconds, cost in the agent's currency.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) error_rate: Option<f64>,
    pub(super) conversations: u64,
    pub(super) latency_p50: Option<f64>,
    pub(super) latency_p95: Option<f64>,
    pub(super) latency_p99: Option<f64>,
    pub(super) tokens: Option<u64>,
    pub(super) cost: Option<f64>,
    pub(super) cost_per_conversation: Option<f64>,
    /// By time taken: (upper bound in microseconds, count), bounds rising.
    pub(super) latency: Vec<(u64, u64)>,
}

impl Figures {
    fn of(measures: &Measures) -> Self {
        Self {
            requests: measures.requests,
            errors: measures.errors,
            error_rate: measures.error_rate(),
            conversations: measures.conversations,
            latency_p50: measures.latency(0.50),
            latency_p95: measures.latency(0.95),
            latency_p99: measures.latency(0.99),
            tokens: (measures.token_requests > 0).then_some(measures.tokens),
            cost: (measures.cost_requests > 0).then_some(measures.cost_micros as f64 / 1e6),
            cost_per_conversation: measures.cost_per_conversation(),
            latency: measures.latency.clone(),
        }
    }
}

/// Looks at the same window replace each other: it only grows.
fn last_looks(measured: &[(Stamp, Measured)]) -> Vec<&Measured> {
    let since = |one: &Option<Measures>| one.as_ref().map(|measures| measures.since);
    let mut last: BTreeMap<_, &Measured> = BTreeMap::new();
    for (_, look) in measured {
        last.insert((since(&look.stable), since(&look.candidate)), look);
    }
    let mut all: Vec<&Measured> = last.into_values().collect();
    all.sort_by_key(|look| look.row);
    all
}

pub(super) fn figures(plan: &Plan, measured: &[(Stamp, Measured)]) -> Vec<WindowFigures> {
    let looks = last_looks(measured).into_iter();
    let has_stable = plan.stable().is_some();
    looks
        .map(|look| WindowFigures {
            step: look.row + 1,
            weight: look.weight,
            stable: look.stable.as_ref().filter(|_| has_stable).map(Figures::of),
            candidate: look.candidate.as_ref().map(Figures::of),
        })
        .collect()
}

pub(super) fn releases(rollout: &Rollout, measured: &[(Stamp, Measured)]) -> Vec<ReleaseFigures> {
    let plan = rollout.plan();
    let looks = last_looks(measured);
    let sum = |of: fn(&Measured) -> Option<&Measures>| {
        let seen: Vec<&Measures> = looks.iter().filter_map(|look| of(look)).collect();
        (!seen.is_empty()).then(|| seen.into_iter().fold(Measures::default(), Measures::plus))
    };
    let stable = plan.stable().zip(sum(|look| look.stable.as_ref()));
    let candidate = sum(|look| look.candidate.as_ref()).map(|all| (plan.to, all));
    let both = stable.into_iter().chain(candidate);
    both.map(|(release, all)| ReleaseFigures {
        release,
        role: Role::of(release, rollout),
        figures: Figures::of(&all),
    })
    .collect()
}
