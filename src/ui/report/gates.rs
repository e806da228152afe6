//! What each gate saw over time, and its bound.

use serde::{Serialize, Serializer};

use crate::analysis::{Evidence, Finding, Measures, Verdict, compared, figure};
use crate::rollout::{Measured, Plan, Stamp};
use crate::spec::{Bound, Metric, MetricGate, Percent};
use crate::ui::plan::bounds;
use crate::ui::words;

#[derive(Debug, Serialize)]
pub(super) struct GateFigures {
    gate: String,
    /// None of a gate that asks a source.
    #[serde(serialize_with = "measured")]
    pub(super) metric: Metric,
    /// What it asks for, in words.
    pub(super) bound: String,
    pub(super) max: Option<f64>,
    pub(super) min: Option<f64>,
    /// What it found last, in words.
    pub(super) says: Option<String>,
    pub(super) points: Vec<Point>,
}

/// One look.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    #[serde(serialize_with = "words::stamp")]
    pub(super) at: Stamp,
    pub(super) step: usize,
    pub(super) weight: Percent,
    pub(super) finding: Finding,
    /// Of the new release, and of the one beside it; in the metric's unit, latencies in seconds.
    pub(super) figure: Option<f64>,
    pub(super) stable: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evidence: Option<Evidence>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
fn measured<S: Serializer>(metric: &Metric, serializer: S) -> Result<S::Ok, S::Error> {
    Some(metric)
        .filter(|metric| **metric != Metric::Sourced)
        .serialize(serializer)
}

impl GateFigures {
    pub(super) fn name(&self) -> &str {
        &self.gate
    }
}

pub(super) fn figures(plan: &Plan, measured: &[(Stamp, Measured)]) -> Vec<GateFigures> {
    let gates = plan.gates.iter().enumerate();
    gates
        .map(|(at, gate)| of_gate(at, gate, plan, measured))
        .collect()
}

fn of_gate(
    at: usize,
    gate: &MetricGate,
    plan: &Plan,
    measured: &[(Stamp, Measured)],
) -> GateFigures {
    let looks = measured.iter().filter_map(|(stamp, measured)| {
        let verdict = verdict_of(at, plan, measured)?;
        Some((*stamp, measured, verdict))
    });
    let looks: Vec<_> = looks.collect();
    let value = |bound: Option<Bound>| bound.map(Bound::value);
    GateFigures {
        gate: gate.label().to_owned(),
        metric: gate.metric,
        bound: bounds(gate),
        max: value(gate.max),
        min: value(gate.min),
        says: looks.last().map(|(_, _, verdict)| verdict.says.clone()),
        points: looks
            .iter()
            .map(|(at, measured, verdict)| point(*at, gate, measured, verdict))
            .collect(),
    }
}

fn point(at: Stamp, gate: &MetricGate, measured: &Measured, verdict: &Verdict) -> Point {
    let stable = measured.stable.as_ref();
    Point {
        at,
        step: measured.row + 1,
        weight: measured.weight,
        finding: verdict.finding,
        figure: verdict.figure,
        stable: stable.and_then(|stable| beside(gate, stable)),
        evidence: verdict.evidence,
    }
}

/// The same figure of the release beside it; where conversations are compared it is theirs.
fn beside(gate: &MetricGate, stable: &Measures) -> Option<f64> {
    match gate.against {
        Some(_) => compared(gate.metric, stable),
        None => figure(gate.metric, stable).filter(|_| stable.requests > 0),
    }
}

/// Verdicts stand in the order of the gates; those that compare are not asked where there is
/// nothing to compare with.
fn verdict_of<'m>(at: usize, plan: &Plan, measured: &'m Measured) -> Option<&'m Verdict> {
    let all = measured.verdicts.len() == plan.gates.len();
    let is_asked = |gate: &MetricGate| all || gate.against.is_none();
    let gate = plan.gates.get(at).filter(|gate| is_asked(gate))?;
    let before = plan.gates[..at]
        .iter()
        .filter(|gate| is_asked(gate))
        .count();
    let verdict = measured.verdicts.get(before)?;
    (verdict.gate == gate.label()).then_some(verdict)
}
