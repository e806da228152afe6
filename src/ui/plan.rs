//! `agentctl plan`: what changes, the table that will be walked, and the way back.

use serde::Serialize;

use super::console::View;
use super::line::Line;
use super::say;
use super::table::{Align, aligned, table};
use super::words::{self, Clock};
use crate::rollout::{Gate, Plan, Slot, Step};
use crate::spec::{Expect, Metric, MetricGate, Probe, ProbeRequest, Unclear};

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct PlanView<'a> {
    pub(crate) agent: &'a str,
    pub(crate) environment: Option<&'a str>,
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
        say::whose(self.agent, self.environment).plain(format!("   {}", say::title(self.plan)))
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
    let rows = plan.steps.iter().take(say::steps(plan)).enumerate();
    let rows = rows.map(|(index, step)| row(plan, index, step));
    table(&columns, rows.collect())
}

fn row(plan: &Plan, index: usize, step: &Step) -> Vec<Line> {
    let stable = plan.stable().filter(|_| before(plan) > 0);
    let stable = stable.map(|_| step.stable.to_string()).unwrap_or_default();
    vec![
        (index + 1).to_string().into(),
        stable.into(),
        step.candidate.to_string().into(),
        share(step).into(),
        then(plan, index, step),
    ]
}

fn share(step: &Step) -> String {
    match step.mirror.is_zero() {
        true => step.weight.to_string(),
        false => format!("copies of {}", step.mirror),
    }
}

pub(super) fn then(plan: &Plan, index: usize, step: &Step) -> Line {
    let mut gates: Vec<_> = step.gates.iter().map(|gate| asked(plan, gate)).collect();
    let (last, cleans_up) = (index + 1 == say::steps(plan), index + 1 == plan.steps.len());
    if last && !cleans_up {
        gates.push("done".to_owned());
    }
    match cleans_up {
        true => Line::default().dim("done; no undo from here on"),
        false => gates.join(", ").into(),
    }
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
    let chosen = plan
        .chosen
        .iter()
        .map(|why| Line::from(format!("auto: {why}")));
    let mut facts: Vec<_> = named("strategy", chosen).collect();
    facts.extend(named("copies", copies(plan).map(Line::from)));
    facts.extend(named("arms", arms(plan).map(Line::from)));
    facts.extend(named("undo", undo(plan).map(Line::from)));
    facts.extend(plan.limit.map(|limit| {
        (
            "limit",
            format!("at most {} at once", words::some(limit.into(), "replica")).into(),
        )
    }));
    let asks = |asked: fn(&Gate) -> bool| plan.steps.iter().flat_map(|step| &step.gates).any(asked);
    if asks(|gate| matches!(gate, Gate::Hold(_))) {
        facts.extend(named("gates", gates(plan)));
    }
    if asks(|gate| matches!(gate, Gate::Probe)) {
        facts.extend(named("probes", plan.probes.iter().map(probe_line)));
    }
    let rows = facts
        .into_iter()
        .map(|(name, fact)| vec![Line::default().dim(name), fact]);
    aligned(&[Align::Left, Align::Left], rows.collect())
}

/// When copying ends by itself, and where pairs are kept.
fn copies(plan: &Plan) -> impl Iterator<Item = String> {
    plan.shadow.iter().flat_map(|shadow| {
        let time = shadow.at_most.map(|most| {
            let most = words::duration(most.as_millis());
            format!("end after {most} at the latest")
        });
        let cost = shadow
            .max_cost
            .map(|most| format!("end once they cost {most}"));
        let kept = shadow.capture.as_ref();
        let kept = kept.map(|file| format!("are kept in pairs/{file}, with both answers"));
        [time, cost, kept].into_iter().flatten()
    })
}

/// Who has the new release in an A/B test.
fn arms(plan: &Plan) -> impl Iterator<Item = String> {
    plan.ab.iter().flat_map(|ab| {
        let says = ab
            .says
            .iter()
            .map(|says| format!("b: {}", String::from(says.clone())));
        let user = ab.user.iter().map(|user| {
            let user = String::from(user.clone());
            format!("b: {} of users by {user}", ab.split)
        });
        says.chain(user).chain(["a: all others".to_owned()])
    })
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

fn undo(plan: &Plan) -> impl Iterator<Item = String> {
    let before = before(plan);
    let yet = if plan.from.is_none() { "yet" } else { "now" };
    let back = match plan.stable() {
        _ if before == 0 => format!("nothing runs {yet}: a failure stops {} again", plan.to),
        Some(stable) => format!("a failure{} {} {stable}", until(plan), way_back(plan)),
        None => format!(
            "a failure goes back to {}",
            words::some(before.into(), "replica")
        ),
    };
    let person = "a failed gate or probe waits for a person first".to_owned();
    std::iter::once(back).chain((!plan.auto_undo).then_some(person))
}

/// Replicas that run when it begins.
fn before(plan: &Plan) -> u32 {
    let world = plan.undo.first();
    world.map_or(0, |row| row.stable + row.candidate)
}

/// Where nothing is cleaned up an undo is possible to the end.
fn until(plan: &Plan) -> String {
    let last = plan.steps.len();
    match say::steps(plan) == last {
        true => format!(" before step {last}"),
        false => String::new(),
    }
}

fn way_back(plan: &Plan) -> &'static str {
    match plan.undo.iter().all(|row| Some(row) == plan.undo.first()) {
        true => "gives all traffic back to",
        false => "goes step by step back to",
    }
}

fn gates(plan: &Plan) -> impl Iterator<Item = Line> {
    let rows = plan.gates.iter();
    let rows = rows.map(|gate| {
        vec![
            bounds(gate).into(),
            Line::default().dim(unclear(plan, gate)),
        ]
    });
    aligned(&[Align::Left; 2], rows.collect()).into_iter()
}

pub(super) fn bounds(gate: &MetricGate) -> String {
    if gate.against.is_some() {
        return comparison(gate);
    }
    let window = gate.window.map_or_else(String::new, |window| {
        format!(" in the last {}", words::duration(window.as_millis()))
    });
    format!("{}{}{window}", what(gate), limits(gate))
}

/// "quality: judge quality".
fn what(gate: &MetricGate) -> String {
    let name = gate.name.iter().map(|name| format!("{name}: "));
    let what = match &gate.source {
        Some(source) => source.shown(),
        None => gate.metric.name().to_owned(),
    };
    format!("{}{what}", name.collect::<String>())
}

/// " at least 0.8".
fn limits(gate: &MetricGate) -> String {
    let bound = |word: &str, bound: Option<crate::spec::Bound>| {
        bound.map(|bound| format!(" {word} {}", gate.metric.show(bound.value())))
    };
    let bounds = [
        bound("at most", gate.most()),
        bound("at least", gate.least()),
    ];
    let bounds: Vec<_> = bounds.into_iter().flatten().collect();
    bounds.join(",")
}

fn comparison(gate: &MetricGate) -> String {
    let worse_by = gate.worse_by.filter(|margin| *margin > 0.0);
    let worse_by = worse_by.map_or_else(String::new, |margin| {
        format!(" by more than {:.0} %", margin * 100.0)
    });
    let limits = limits(gate);
    let and = if limits.is_empty() { "" } else { "," };
    format!(
        "{}{limits}{and} no worse than the stable release's{worse_by}",
        what(gate)
    )
}

/// When it is not asked, and what becomes of it where it cannot say.
fn unclear(plan: &Plan, gate: &MetricGate) -> String {
    let unclear = cannot_say(plan, gate);
    let compares = |step: &Step| step.compares() && !step.gates.is_empty();
    match gate.against {
        None => unclear,
        Some(_) if plan.steps.iter().any(compares) => format!("{unclear}; not asked at 100 %"),
        Some(_) => "not asked: there is nothing to compare with".to_owned(),
    }
}

fn cannot_say(plan: &Plan, gate: &MetricGate) -> String {
    let requests = enough(gate);
    match gate.unclear {
        Unclear::Wait => format!(
            "waits for {requests}, {} at most",
            words::duration(plan.patience.as_millis())
        ),
        Unclear::Pass => format!("passes without {requests}"),
        Unclear::Fail => format!("fails without {requests}"),
        Unclear::Approve => format!("asks a person without {requests}"),
    }
}

/// What it has to have seen.
fn enough(gate: &MetricGate) -> String {
    let unit = match gate.metric.is_of_calls() {
        true => "call",
        false => "request",
    };
    match (gate.against, gate.metric, gate.min) {
        _ if gate.source.is_some() => "an answer".to_owned(),
        (Some(_), ..) => "enough evidence".to_owned(),
        (None, Metric::Requests, Some(least)) => words::some(least.value().ceil() as u64, unit),
        (None, ..) => words::some(gate.min_requests.max(1), unit),
    }
}

fn probe_line(probe: &Probe) -> Line {
    let name = probe.name.iter().map(|name| format!("{name}: "));
    let turns = probe.turns().into_iter().map(turn_line);
    let turns: Vec<String> = turns.collect();
    format!("{}{}", name.collect::<String>(), turns.join(", then ")).into()
}

fn judged(expect: &Expect) -> Option<String> {
    let judges = expect.judge.iter();
    let judges: Vec<_> = judges
        .map(|(judge, least)| format!(" with at least {least} from judge {judge}"))
        .collect();
    (!judges.is_empty()).then(|| judges.concat())
}

fn turn_line((request, expect): (&ProbeRequest, &Expect)) -> String {
    let parts = [
        expect.json.as_ref().map(|path| format!(" with {path}")),
        expect
            .matches
            .as_ref()
            .map(|pattern| format!(" like {pattern}")),
        judged(expect),
        expect
            .events
            .map(|events| format!(" with {}", words::some(events.into(), "event"))),
        expect
            .first_within
            .map(|first| format!(" beginning within {}", words::duration(first.as_millis()))),
    ];
    let parts: String = parts.into_iter().flatten().collect();
    let within = words::duration(expect.within.as_millis());
    format!(
        "{} {} → {}{parts} within {within}",
        request.method, request.path, expect.status
    )
}
