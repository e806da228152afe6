//! `agentctl plan`: what changes, the table that will be walked, and the way back.

use serde::Serialize;

use super::console::View;
use super::line::{Line, Tone};
use super::say;
use super::table::{Align, aligned, table};
use super::words::{self, Clock};
use crate::rollout::{Gate, Plan, Slot, Step};
use crate::spec::{MetricGate, Probe, Unclear};

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PlanView<'a> {
    pub(crate) agent: &'a str,
    pub(crate) environment: &'a str,
    /// What is different in the new release, a line each.
    pub(crate) changes: &'a [String],
    pub(crate) plan: &'a Plan,
}

impl View for PlanView<'_> {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        let parts = [
            vec![self.header()],
            self.changes(),
            steps(self.plan),
            facts(self.plan),
        ];
        let filled: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        filled.join(&Line::default())
    }
}

impl PlanView<'_> {
    fn header(&self) -> Line {
        let plan = self.plan;
        Line::new(Tone::Strong, self.agent)
            .plain(format!(
                "   {}   {}   ",
                self.environment,
                say::strategy(plan.strategy)
            ))
            .plain(say::change(plan.from, plan.to))
    }

    fn changes(&self) -> Vec<Line> {
        let changes = self.changes.iter().flat_map(|change| change.lines());
        changes.map(|change| Line::from(change).indent(2)).collect()
    }
}

fn steps(plan: &Plan) -> Vec<Line> {
    let [stable, candidate] = [Slot::Stable, Slot::Candidate].map(|slot| say::who(plan, slot));
    let traffic = format!("traffic to {candidate}");
    let columns = [
        (Align::Right, "step"),
        (Align::Right, stable.as_str()),
        (Align::Right, candidate.as_str()),
        (Align::Right, traffic.as_str()),
        (Align::Left, "then"),
    ];
    let rows = plan
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| row(plan, index, step));
    table(&columns, rows.collect())
}

fn row(plan: &Plan, index: usize, step: &Step) -> Vec<Line> {
    let stable = plan
        .stable()
        .map(|_| step.stable.to_string())
        .unwrap_or_default();
    let then: Vec<_> = step.gates.iter().map(|gate| asked(plan, gate)).collect();
    let then = match index + 1 == plan.steps.len() {
        true => Line::default().dim("done; no undo from here on"),
        false => then.join(", ").into(),
    };
    vec![
        (index + 1).to_string().into(),
        stable.into(),
        step.candidate.to_string().into(),
        step.weight.to_string().into(),
        then,
    ]
}

fn asked(plan: &Plan, gate: &Gate) -> String {
    match gate {
        Gate::Probe => words::some(plan.probes.len() as u64, "probe"),
        Gate::Hold(period) if period.is_zero() => "judge the gates".to_owned(),
        Gate::Hold(period) => format!("hold {}", words::duration(period.as_millis())),
        Gate::Approve(what) => format!("approve {what}"),
    }
}

/// The ways a rollout can end early, as names and sentences.
fn facts(plan: &Plan) -> Vec<Line> {
    let mut facts = vec![("undo", Line::from(undo(plan)))];
    facts.extend(plan.limit.map(|limit| {
        (
            "limit",
            format!("at most {} at once", words::some(limit.into(), "replica")).into(),
        )
    }));
    facts.extend(named(
        "gates",
        plan.gates.iter().map(|gate| gate_line(plan, gate)),
    ));
    facts.extend(named("probes", plan.probes.iter().map(probe_line)));
    let rows = facts
        .into_iter()
        .map(|(name, fact)| vec![Line::default().dim(name), fact]);
    aligned(&[Align::Left, Align::Left], rows.collect())
}

/// The name stands before the first one only.
fn named(
    name: &'static str,
    lines: impl Iterator<Item = Line>,
) -> impl Iterator<Item = (&'static str, Line)> {
    std::iter::once(name)
        .chain(std::iter::repeat(""))
        .zip(lines)
}

fn undo(plan: &Plan) -> String {
    let last = plan.steps.len();
    let back = match plan.stable() {
        Some(stable) => format!("a failure before step {last} gives all traffic back to {stable}"),
        None if plan.is_scale() => {
            let before = plan.undo.first().map_or(0, |row| row.candidate);
            format!(
                "a failure before step {last} goes back to {}",
                words::some(before.into(), "replica")
            )
        }
        None => format!(
            "a failure before step {last} stops {}; nothing ran before it",
            plan.to
        ),
    };
    match plan.auto_undo {
        true => back,
        false => format!("{back}; a failed gate or probe waits for a person first"),
    }
}

fn gate_line(plan: &Plan, gate: &MetricGate) -> Line {
    let bound = |word: &str, bound: Option<crate::spec::Bound>| {
        bound.map(|bound| format!(" {word} {}", gate.metric.show(bound.value())))
    };
    let bounds: Vec<_> = [bound("at most", gate.max), bound("at least", gate.min)]
        .into_iter()
        .flatten()
        .collect();
    let name = gate
        .name
        .iter()
        .map(|name| format!("{name}: "))
        .collect::<String>();
    Line::from(format!("{name}{}{}", gate.metric.name(), bounds.join(","))).dim(format!(
        "   from {} on; {}",
        words::some(gate.min_requests, "request"),
        unclear(plan, gate.unclear)
    ))
}

fn unclear(plan: &Plan, unclear: Unclear) -> String {
    match unclear {
        Unclear::Wait => format!(
            "until then it waits, {} at most",
            words::duration(plan.patience.as_millis())
        ),
        Unclear::Pass => "without them it passes".to_owned(),
        Unclear::Fail => "without them it fails".to_owned(),
    }
}

fn probe_line(probe: &Probe) -> Line {
    let name = probe
        .name
        .iter()
        .map(|name| format!("{name}: "))
        .collect::<String>();
    let json = probe
        .expect
        .json
        .iter()
        .map(|path| format!(" with {path}"))
        .collect::<String>();
    let within = words::duration(probe.expect.within.as_millis());
    format!(
        "{name}{} {} → {}{json} within {within}",
        probe.request.method, probe.request.path, probe.expect.status
    )
    .into()
}
