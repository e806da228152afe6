//! The tables: what each strategy is, as rows.
//!
//! Invariant: walking any table, forward or back, never needs more than its rows show.

mod ab;
mod back;
mod blue_green;
mod canary;
mod rolling;
mod shadow;

pub(crate) use back::back;

use std::collections::BTreeMap;

use super::plan::{Gate, Plan, Step};
use crate::release::ReleaseId;
use crate::spec::{MetricGate, Percent, Period, Rollout, Strategy};

/// Everything that a table is made from.
pub(crate) struct Wish<'a> {
    /// The release in force, and how many replicas of it are wanted now.
    pub(crate) from: Option<(ReleaseId, u32)>,
    pub(crate) to: ReleaseId,
    /// Replicas of `to` at the end.
    pub(crate) replicas: u32,
    pub(crate) rollout: &'a Rollout,
    pub(crate) gates: &'a [MetricGate],
    /// The environment wants a person to say yes before the first traffic.
    pub(crate) approve: bool,
    pub(crate) auto_undo: bool,
    /// How long a started replica may take to get ready.
    pub(crate) startup: Period,
}

/// The rows of a strategy, the clean-up last.
struct Table {
    steps: Vec<Step>,
    undo: Vec<Step>,
    limit: Option<u32>,
}

impl Plan {
    pub(crate) fn new(wish: &Wish) -> Self {
        let Table { steps, undo, limit } = wish.table();
        let copies = steps.iter().any(|row| row.mirror > Percent::ZERO);
        let shadow = copies.then(|| wish.rollout.shadow.clone());
        Self {
            strategy: wish.rollout.strategy,
            by: String::new(),
            because: None,
            chosen: None,
            goes_back: false,
            from: wish.from.map(|(release, _)| release),
            to: wish.to,
            steps,
            undo,
            limit,
            one_set: false,
            sticky: wish.rollout.sticky,
            auto_undo: wish.auto_undo,
            probes: wish.rollout.probe.clone(),
            gates: wish.gates.to_vec(),
            judges: BTreeMap::new(),
            confidence: wish.rollout.confidence,
            folder: String::new(),
            settle: wish.settle(),
            ab: (wish.rollout.strategy == Strategy::Ab).then(|| wish.rollout.ab()),
            shadow,
            patience: wish.rollout.patience,
            startup: wish.startup,
        }
    }
}

impl Wish<'_> {
    fn settle(&self) -> Option<Period> {
        let spends = |gate: &MetricGate| gate.against.is_some() && gate.metric.is_spend();
        let asked = self.gates.iter().any(spends);
        asked.then_some(self.rollout.settle)
    }

    fn table(&self) -> Table {
        match (self.from, self.rollout.strategy) {
            (Some((from, now)), _) if from == self.to => self.scale(now),
            (None | Some((_, 0)), _) => self.first(),
            (Some((_, now)), Strategy::Rolling) => rolling::table(self, now),
            (Some((_, now)), Strategy::BlueGreen) => blue_green::table(self, now),
            // One that was not chosen yet is walked with the most care.
            (Some((_, now)), Strategy::Canary | Strategy::Auto) => canary::table(self, now),
            (Some((_, now)), Strategy::Ab) => ab::table(self, now),
            (Some((_, now)), Strategy::Shadow) => shadow::table(self, now),
        }
    }

    /// Nothing runs yet, so there is nothing to keep whole and nothing to compare with.
    fn first(&self) -> Table {
        let full = Step::new(0, self.replicas, Percent::FULL);
        let steps = self.trial(0, self.replicas).into_iter();
        Table::whole(steps.chain([full.clone(), full]).collect(), 0)
    }

    /// One release, alone in the candidate's slot; undone to as many as there were.
    fn scale(&self, now: u32) -> Table {
        let full = Step::new(0, self.replicas, Percent::FULL);
        Table {
            steps: vec![full.clone(), full],
            undo: vec![Step::new(0, now, Percent::FULL)],
            limit: None,
        }
    }

    /// The row before any traffic; none where nothing is asked.
    fn trial(&self, stable: u32, candidate: u32) -> Option<Step> {
        let gates = self.first_gates();
        (!gates.is_empty()).then(|| Step {
            gates,
            ..Step::new(stable, candidate, Percent::ZERO)
        })
    }

    fn first_gates(&self) -> Vec<Gate> {
        let probe = (!self.rollout.probe.is_empty()).then_some(Gate::Probe);
        let approve = self
            .approve
            .then(|| Gate::Approve("first traffic".to_owned()));
        probe.into_iter().chain(approve).collect()
    }

    /// One hold for each of the times that is not zero; where all are zero and there are metric
    /// gates these are judged once.
    fn holds(&self, times: &[Period]) -> Vec<Gate> {
        let mut times: Vec<_> = times
            .iter()
            .copied()
            .filter(|time| !time.is_zero())
            .collect();
        if times.is_empty() && !self.gates.is_empty() {
            times.push(Period::default());
        }
        times.into_iter().map(Gate::Hold).collect()
    }

    /// All of the new release beside what is left of the old one.
    fn bake(&self, stable: u32) -> Step {
        Step {
            gates: self.holds(&[self.rollout.bake]),
            ..Step::new(stable, self.replicas, Percent::FULL)
        }
    }

    fn clean_up(&self) -> Step {
        Step::new(0, self.replicas, Percent::FULL)
    }
}

impl Table {
    /// Stable is kept whole until the clean-up, so that every undo is one move of traffic.
    fn whole(steps: Vec<Step>, stable: u32) -> Self {
        let before = Step::new(stable, 0, Percent::ZERO);
        Self {
            undo: vec![before; steps.len() - 1],
            steps,
            limit: None,
        }
    }
}

#[cfg(test)]
mod tests;
