//! Gates that compare: what they go by, over all steps so far.
//!
//! What was gathered at the weights before is in the journal; of this one the edge has all counts,
//! and keeps what conversations used until it was read and written down.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::analysis::judges::{
    Arm, Cap, Count, Kind, Latency, LatencyEvidence, Rates, Share, Spend, SpendEvidence, Thresholds,
};
use crate::analysis::{Comparison, Judge, Measures, Used, Verdict, compare};
use crate::journal::Store;
use crate::release::ReleaseId;
use crate::rollout::{Counted, Effect, Event, Gate, Marks, Phase, Units};
use crate::spec::{Metric, MetricGate, Percent};
use crate::target::{Place, Seen, Target};

/// The stable release's conversations that tell what is slow.
const ENOUGH: u64 = 100;

/// Buckets of times are this much apart at most: what is over this much more is surely over.
const BUCKET: f64 = 17.0 / 16.0;

/// Conversations read until that is written down.
const UNWRITTEN: usize = 1_000;

/// What judges wrote down, by gate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Evidence {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    slow: BTreeMap<usize, LatencyEvidence>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    spent: BTreeMap<usize, SpendEvidence>,
    #[serde(default)]
    place: Place,
}

/// What conversations used, as far as it was read.
#[derive(Default)]
pub(super) struct Spending {
    judges: BTreeMap<usize, Spend>,
    place: Place,
    unwritten: usize,
}

impl Spending {
    /// Enough to be written down now.
    pub(super) fn is_much(&self) -> bool {
        self.unwritten >= UNWRITTEN
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Both releases have traffic, or one has copies of what the other has.
    pub(super) fn can_compare(&self) -> bool {
        self.rollout.step().compares() && self.rollout.plan().stable().is_some()
    }

    /// What counts as slow is found before the first row that is compared: a time that was chosen by
    /// what is judged by it would be no fair one.
    pub(super) async fn mark(&mut self, effect: &Effect) -> Result<()> {
        let (splits, is_split_already) = match effect {
            Effect::Route(weight) => (weight.is_split(), false),
            // A rollout before this one may have left traffic as this one wants it.
            Effect::Ask(Gate::Hold(_)) => (self.can_compare(), true),
            effect => (matches!(effect, Effect::Mirror(_)), false),
        };
        if !splits || self.rollout.phase() != Phase::Forward || self.unmarked().next().is_none() {
            return Ok(());
        }
        let seen = self.target.observe().await.ok();
        let stable = seen.as_ref().zip(self.rollout.plan().stable());
        let before = stable.and_then(|(seen, id)| {
            let stable = seen.releases.get(&id)?;
            match is_split_already {
                true => stable.total.clone().minus(&stable.window),
                false => Some(stable.total.clone()),
            }
        });
        let Some(before) = before.filter(|before| before.answered() >= ENOUGH) else {
            return Ok(());
        };
        let marks: Marks = self
            .unmarked()
            .map(|(at, gate)| (at, times(gate, &before)))
            .collect();
        self.record(Event::Marked(marks)).await
    }

    fn unmarked(&self) -> impl Iterator<Item = (usize, &MetricGate)> {
        let marks = self.rollout.marks();
        self.comparing()
            .filter(|(at, gate)| gate.metric.is_latency() && !marks.contains_key(at))
    }

    /// Gates that compare, with their indices.
    fn comparing(&self) -> impl Iterator<Item = (usize, &MetricGate)> {
        let gates = self.rollout.plan().gates.iter().enumerate();
        gates.filter(|(_, gate)| gate.against.is_some() && gate.source.is_none())
    }

    pub(super) fn compared(
        &self,
        at: usize,
        gate: &MetricGate,
        seen: &Seen,
        spending: &Spending,
    ) -> Option<Verdict> {
        let (stable, candidate) = self.windows(seen)?;
        let judge = match gate.metric {
            Metric::ErrorRate => Judge::Errors(self.rates(gate, seen)?),
            metric if metric.is_spend() => Judge::Spend(spending.judges.get(&at)?.clone()),
            _ => match self.latency(at, gate, seen) {
                Some((judge, cautious)) => Judge::Latency { judge, cautious },
                None => return Some(self.unknown(gate)),
            },
        };
        let comparison = Comparison {
            judge: &judge,
            risk: self.risk(at)?,
            stable,
            candidate,
            now: (self.clock)().0,
        };
        Some(compare(gate, &comparison))
    }

    fn unknown(&self, gate: &MetricGate) -> Verdict {
        let stable = self.rollout.plan().stable();
        let stable = stable.map_or_else(String::new, |id| id.to_string());
        Verdict {
            says: format!(
                "{} cannot be compared: {stable} had answered fewer than {ENOUGH} conversations \
                 before this step, so what is slow is not known",
                gate.metric.name()
            ),
            ..Verdict::nothing_seen(gate)
        }
    }

    /// For the rows to come, and for whoever goes on with this one; `None` where no gate will ask.
    pub(super) fn count(&self, seen: &Seen, spending: &Spending) -> Option<Counted> {
        let mut comparing = self.comparing().peekable();
        comparing.peek()?;
        let evidence = self.can_compare().then(|| Evidence {
            slow: comparing
                .filter_map(|(at, gate)| Some((at, self.latency(at, gate, seen)?.0.evidence())))
                .collect(),
            spent: spending
                .judges
                .iter()
                .map(|(at, judge)| (*at, judge.evidence()))
                .collect(),
            place: spending.place,
        })?;
        let is_empty = evidence.slow.is_empty() && evidence.spent.is_empty();
        let evidence = serde_json::to_value(evidence).ok().filter(|_| !is_empty);
        Some(Counted {
            evidence,
            ..self.units(seen)?
        })
    }

    fn units(&self, seen: &Seen) -> Option<Counted> {
        let (stable, candidate) = self.windows(seen)?;
        Some(Counted {
            row: self.rollout.row(),
            weight: self.rollout.step().weight,
            stable: units(stable),
            candidate: units(candidate),
            evidence: None,
        })
    }

    /// Each row by its own weight, this one as it stands now.
    fn rates(&self, gate: &MetricGate, seen: &Seen) -> Option<Rates> {
        let now = self.units(seen)?;
        let before = self.rollout.counted().iter();
        let before = before.filter(|counted| counted.row != now.row);
        let mut rates = Rates::new(gate.margin());
        for counted in before.chain([&now]) {
            rates.step(self.share(counted.row, counted.weight)?);
            rates.told(count(counted.stable), count(counted.candidate));
        }
        Some(rates)
    }

    /// The judge, and the cautious one. `None`: what is slow is not known.
    fn latency(&self, at: usize, gate: &MetricGate, seen: &Seen) -> Option<(Latency, Latency)> {
        let marks = self.rollout.marks().get(&at)?;
        let (stable, candidate) = self.windows(seen)?;
        let before = self
            .written(false)
            .and_then(|mut written| written.slow.remove(&at));
        let mut judge = match before {
            Some(evidence) => Latency::resume(gate.margin(), evidence),
            None => {
                let seconds = marks.iter().map(|micros| *micros as f64 / 1e6);
                Latency::new(Thresholds::frozen(seconds)?, gate.margin())
            }
        };
        judge.step(self.share_now()?);
        let mut cautious = judge.clone();
        let stretch = if gate.margin().get() > 0.0 {
            BUCKET
        } else {
            1.0
        };
        let open = candidate.begun.saturating_sub(candidate.answered());
        let beside = |seconds: f64| slower(stable, seconds, None);
        judge.told(&beside, &|seconds| {
            slower(candidate, seconds * stretch, None)
        });
        cautious.told(&beside, &|seconds| {
            slower(candidate, seconds * stretch, Some(open))
        });
        Some((judge, cautious))
    }

    /// What was written down last: before this row, or also in it.
    fn written(&self, with_this_row: bool) -> Option<Evidence> {
        let row = self.rollout.row();
        let counted = self.rollout.counted().iter().rev();
        let mut counted = counted.filter(|counted| with_this_row || counted.row != row);
        let evidence = counted.find_map(|counted| counted.evidence.clone())?;
        serde_json::from_value(evidence).ok()
    }

    /// As it was written down; what was read since is read again.
    pub(super) fn spending(&self) -> Spending {
        let written = self.written(true).unwrap_or_default();
        let judges = self.comparing().filter_map(|(at, gate)| {
            let cap = Cap::new(gate.cap?)?;
            let judge = match written.spent.get(&at) {
                Some(evidence) => Spend::resume(gate.margin(), evidence.clone()),
                None => Spend::new(cap, gate.margin()),
            };
            Some((at, judge))
        });
        Spending {
            judges: judges.collect(),
            place: written.place,
            unwritten: 0,
        }
    }

    /// Reads on to the end.
    pub(super) async fn read_spent(&self, spending: &mut Spending) -> Result<()> {
        if spending.judges.is_empty() || !self.can_compare() {
            return Ok(());
        }
        let share = self.share_now();
        loop {
            let spent = self.target.spent(spending.place).await?;
            if let Some(share) = share.filter(|_| spent.place.epoch != spending.place.epoch) {
                spending
                    .judges
                    .values_mut()
                    .for_each(|judge| judge.step(share));
            }
            spending.place = spent.place;
            spending.unwritten += spent.units.len();
            for (release, used) in &spent.units {
                self.see(*release, used, spending);
            }
            if spent.units.is_empty() || spending.is_much() {
                return Ok(());
            }
        }
    }

    fn see(&self, release: ReleaseId, used: &Used, spending: &mut Spending) {
        let plan = self.rollout.plan();
        let arm = match release {
            id if id == plan.to => Arm::Candidate,
            id if Some(id) == plan.stable() => Arm::Stable,
            _ => return,
        };
        for (at, judge) in &mut spending.judges {
            let metric = plan.gates.get(*at).map(|gate| gate.metric);
            if let Some(value) = metric.and_then(|metric| used.of(metric)) {
                judge.see(arm, value);
            }
        }
    }

    pub(super) fn windows<'s>(&self, seen: &'s Seen) -> Option<(&'s Measures, &'s Measures)> {
        let plan = self.rollout.plan();
        Some((seen.window(plan.stable()?)?, seen.window(plan.to)?))
    }

    fn share_now(&self) -> Option<Share> {
        self.share(self.rollout.row(), self.rollout.step().weight)
    }

    /// The candidate's; of what is copied both have one each.
    fn share(&self, row: usize, weight: Percent) -> Option<Share> {
        let step = self.rollout.plan().steps.get(row);
        match step.is_some_and(|step| !step.mirror.is_zero()) {
            true => Share::new(0.5),
            false => Share::new(f64::from(weight.hundredths()) / 10_000.0),
        }
    }
}

impl Used {
    /// In the metric's unit.
    fn of(&self, metric: Metric) -> Option<f64> {
        let (used, unit) = match metric {
            Metric::TokensPerConversation => (self.tokens, 1.0),
            Metric::CostPerConversation => (self.cost_micros, 1e6),
            Metric::ToolCallsPerConversation => (self.tool_calls, 1.0),
            Metric::StepsPerConversation => (self.steps, 1.0),
            _ => (None, 1.0),
        };
        used.map(|used| used as f64 / unit)
    }
}

pub(super) fn kind(metric: Metric) -> Kind {
    match metric {
        Metric::ErrorRate => Kind::Errors,
        metric if metric.is_latency() => Kind::Latency,
        Metric::Sourced => Kind::Custom,
        _ => Kind::Spend,
    }
}

/// In microseconds.
fn times(gate: &MetricGate, total: &Measures) -> Vec<u64> {
    let quantiles = gate.quantiles().iter();
    let times = quantiles.filter_map(|share| total.slowest(*share));
    times
        .map(|seconds| (seconds * 1e6).round() as u64)
        .collect()
}

fn units(window: &Measures) -> Units {
    Units {
        begun: window.begun,
        failed: window.failed,
    }
}

/// What has begun and failed may be read in the moment between the two.
fn count(units: Units) -> Count {
    Count::new(units.begun, units.failed.min(units.begun)).unwrap_or_default()
}

/// Conversations, and those of them that took longer, or wait for longer: who counted only answers
/// would take one that never answers for quick. `open` ones count as slow, however long they wait.
fn slower(window: &Measures, seconds: f64, open: Option<u64>) -> Count {
    let seconds = (seconds * 1e6).round() / 1e6;
    let open = open.unwrap_or_else(|| window.waiting_for(seconds));
    let slower = window.slower_than(seconds) + open;
    Count::new(window.answered() + open, slower).unwrap_or_default()
}
