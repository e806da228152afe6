//! The page: a report's figures as texts and pictures, and the template that lays them out.

use serde::Serialize;

use super::chart::Chart;
use super::gates::GateFigures;
use super::pictures::distribution;
use super::windows::{Figures, ReleaseFigures, WindowFigures};
use super::{ReplicaLog, Report, StepFigures, Told};
use crate::analysis::Finding;
use crate::release::ReleaseId;
use crate::render::{Failure, Templates};
use crate::rollout::Outcome;
use crate::ui::say;
use crate::ui::words::{self, Clock};

const PAGE: &str = "report/page.html";

#[derive(Serialize)]
struct Page<'a> {
    title: String,
    rollout: u64,
    agent: &'a str,
    environment: Option<&'a str>,
    kind: &'static str,
    change: String,
    tone: &'static str,
    outcome: String,
    why: Option<&'a str>,
    facts: Vec<(&'static str, String)>,
    columns: [&'static str; 10],
    stable: Option<String>,
    candidate: String,
    steps: Vec<StepRow<'a>>,
    traffic: Option<Chart>,
    gates: Vec<Gate<'a>>,
    releases: Vec<ReleaseRow>,
    windows: Vec<Window>,
    events: Vec<EventRow<'a>>,
    logs: &'a [ReplicaLog],
}

#[derive(Serialize)]
struct StepRow<'a> {
    step: usize,
    stable: u32,
    candidate: u32,
    weight: String,
    then: &'a str,
    began: Option<String>,
    took: Option<String>,
}

#[derive(Serialize)]
struct Gate<'a> {
    name: &'a str,
    bound: &'a str,
    says: Option<&'a str>,
    tone: &'static str,
    finding: &'static str,
    figures: Option<Chart>,
    evidence: Option<Chart>,
}

#[derive(Serialize)]
struct ReleaseRow {
    release: String,
    class: &'static str,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct Window {
    title: String,
    chart: Chart,
    rows: Vec<ReleaseRow>,
}

#[derive(Serialize)]
struct EventRow<'a> {
    at: String,
    about: &'a str,
    says: &'a str,
}

/// Of what was counted of a release.
const COLUMNS: [&str; 10] = [
    "requests",
    "errors",
    "error rate",
    "p50",
    "p95",
    "p99",
    "conversations",
    "tokens",
    "cost",
    "cost per conversation",
];

fn cells(figures: &Figures) -> Vec<String> {
    let time = |seconds: Option<f64>| seconds.map(words::latency);
    let cells = [
        Some(words::count(figures.requests)),
        Some(words::count(figures.errors)),
        figures.error_rate.map(words::rate),
        time(figures.latency_p50),
        time(figures.latency_p95),
        time(figures.latency_p99),
        Some(words::count(figures.conversations)),
        figures.tokens.map(words::count),
        figures.cost.map(|cost| format!("{cost:.4}")),
        figures
            .cost_per_conversation
            .map(|cost| format!("{cost:.4}")),
    ];
    cells
        .map(|cell| cell.unwrap_or_else(|| "–".to_owned()))
        .into()
}

fn tone(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Completed) => "good",
        Some(Outcome::RolledBack(_) | Outcome::Stalled(_)) => "bad",
        None => "wait",
    }
}

impl<'a> StepRow<'a> {
    fn of(step: &'a StepFigures, clock: &Clock) -> Self {
        Self {
            step: step.step,
            stable: step.stable,
            candidate: step.candidate,
            weight: step.weight.to_string(),
            then: &step.then,
            began: step.began.map(|at| clock.time(at)),
            took: step.took_ms.map(words::duration),
        }
    }
}

impl<'a> EventRow<'a> {
    fn of(told: &'a Told, clock: &Clock) -> Self {
        Self {
            at: clock.time(told.at),
            about: &told.about,
            says: &told.says,
        }
    }
}

impl Report {
    /// # Errors
    /// Where a template of the user's is wrong.
    pub(crate) fn page(&self, templates: &Templates, clock: &Clock) -> Result<String, Failure> {
        templates.text(PAGE, &self.laid_out(clock))
    }

    fn laid_out<'a>(&'a self, clock: &Clock) -> Page<'a> {
        let past = &self.past;
        let outcome = past.end.0.as_ref();
        Page {
            title: format!("{}, rollout {}", self.agent, past.rollout),
            rollout: past.rollout,
            agent: &self.agent,
            environment: self.environment.as_deref(),
            kind: say::kind(past.strategy, past.from, past.to),
            change: say::change(past.from, past.to),
            tone: tone(outcome),
            outcome: past.ended().paint(false),
            why: past.why(),
            facts: self.facts(clock),
            columns: COLUMNS,
            stable: past
                .from
                .filter(|from| *from != past.to)
                .map(|id| id.to_string()),
            candidate: past.to.to_string(),
            steps: self
                .steps
                .iter()
                .map(|step| StepRow::of(step, clock))
                .collect(),
            traffic: self.traffic_chart(),
            gates: self.gates.iter().map(|gate| self.gate(gate)).collect(),
            releases: self.release_rows(),
            windows: self
                .windows
                .iter()
                .filter_map(|window| self.window(window))
                .collect(),
            events: self
                .events
                .iter()
                .map(|told| EventRow::of(told, clock))
                .collect(),
            logs: &self.logs,
        }
    }

    fn facts(&self, clock: &Clock) -> Vec<(&'static str, String)> {
        let past = &self.past;
        let facts = [
            ("rollout", Some(past.rollout.to_string())),
            ("started", Some(clock.date(past.started))),
            ("took", self.took_ms.map(words::duration)),
            ("by", Some(past.by.clone())),
            ("because", past.because.clone()),
            ("evidence", past.evidence().map(str::to_owned)),
        ];
        let filled = facts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        filled.filter(|(_, value)| !value.is_empty()).collect()
    }

    fn gate<'a>(&'a self, gate: &'a GateFigures) -> Gate<'a> {
        let last = gate.points.last().map(|point| point.finding);
        let (tone, finding) = match last {
            Some(Finding::Pass) => ("good", "pass"),
            Some(Finding::Fail) => ("bad", "fail"),
            Some(Finding::Unclear) => ("wait", "unclear"),
            None => ("none", "not asked"),
        };
        Gate {
            name: gate.name(),
            bound: &gate.bound,
            says: gate.says.as_deref(),
            tone,
            finding,
            figures: self.figures_chart(gate),
            evidence: self.evidence_chart(gate),
        }
    }

    fn release_rows(&self) -> Vec<ReleaseRow> {
        let row = |one: &ReleaseFigures| ReleaseRow {
            release: one.release.to_string(),
            class: self.class(one.release),
            cells: cells(&one.figures),
        };
        self.releases.iter().map(row).collect()
    }

    fn class(&self, release: ReleaseId) -> &'static str {
        match release == self.past.to {
            true => "candidate",
            false => "stable",
        }
    }

    /// `None` where no request ended.
    fn window(&self, window: &WindowFigures) -> Option<Window> {
        let both = [("stable", &window.stable), ("candidate", &window.candidate)];
        let seen: Vec<_> = both
            .into_iter()
            .filter_map(|(class, figures)| Some((class, figures.as_ref()?)))
            .filter(|(_, figures)| !figures.latency.is_empty())
            .collect();
        let release = |class| match class {
            "stable" => self.past.from.unwrap_or(self.past.to),
            _ => self.past.to,
        };
        let curves: Vec<_> = seen
            .iter()
            .map(|(class, figures)| (*class, figures.latency.as_slice()))
            .collect();
        let title = format!(
            "step {}, {} to {}",
            window.step, window.weight, self.past.to
        );
        Some(Window {
            chart: distribution(&format!("latencies, {title}"), &curves)?,
            title,
            rows: seen
                .into_iter()
                .map(|(class, figures)| ReleaseRow {
                    release: release(class).to_string(),
                    class,
                    cells: cells(figures),
                })
                .collect(),
        })
    }
}
