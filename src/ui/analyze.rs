//! `agentctl analyze`: what the judges made of recorded traffic.

use serde::Serialize;

use super::console::View;
use super::line::{Line, Tone};
use super::table::{Align, table};
use super::words::{self, Clock};
use crate::analysis::{Alarms, Finding, Judged, What};

#[derive(Serialize)]
pub(crate) struct JudgedView {
    pub(crate) judged: Vec<Judged>,
}

#[derive(Serialize)]
pub(crate) struct AlarmsView {
    pub(crate) alarms: Alarms,
}

/// Pairs of answers that a model has scored.
#[derive(Serialize)]
pub(crate) struct ScoredView {
    pub(crate) judge: String,
    /// In the file; so many of them were scored.
    pub(crate) pairs: usize,
    pub(crate) scored: usize,
    /// Means, from 0 to 1.
    pub(crate) stable: Option<f64>,
    pub(crate) candidate: Option<f64>,
    pub(crate) finding: Finding,
    pub(crate) says: String,
    /// In the currency of the judge's prices.
    pub(crate) spent: f64,
}

impl View for ScoredView {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        let columns = [
            (Align::Left, "judge"),
            (Align::Right, "stable"),
            (Align::Right, "candidate"),
            (Align::Left, "finding"),
            (Align::Right, "pairs"),
            (Align::Right, "spent"),
        ];
        let score = |mean: Option<f64>| mean.map_or_else(String::new, |mean| format!("{mean:.2}"));
        let row = vec![
            self.judge.clone().into(),
            score(self.stable).into(),
            score(self.candidate).into(),
            found(self.finding),
            format!("{} of {}", self.scored, self.pairs).into(),
            format!("{:.4}", self.spent).into(),
        ];
        let says = Line::from(self.says.clone());
        table(&columns, vec![row])
            .into_iter()
            .chain([says])
            .collect()
    }
}

impl View for JudgedView {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        let columns = [
            (Align::Left, "judged"),
            (Align::Right, "stable"),
            (Align::Right, "candidate"),
            (Align::Left, "finding"),
            (Align::Left, "after"),
            (Align::Right, "evidence"),
        ];
        let missing = self.judged.iter().filter_map(|judged| {
            let missing = judged.missing.as_deref()?;
            Some(Line::from(format!("{} {missing}", name(judged.what))))
        });
        let rows = self.judged.iter().map(row).collect();
        table(&columns, rows).into_iter().chain(missing).collect()
    }
}

fn row(judged: &Judged) -> Vec<Line> {
    let shown =
        |figure: Option<f64>| figure.map_or_else(String::new, |figure| show(judged.what, figure));
    let after = judged
        .after_s
        .zip(judged.after_units)
        .map(|(seconds, units)| {
            let time = words::ticking((seconds.max(0.0) * 1e3) as u64);
            format!("{}, {time}", words::some(units, "conversation"))
        });
    vec![
        name(judged.what).into(),
        shown(judged.stable).into(),
        shown(judged.candidate).into(),
        found(judged.finding),
        after.unwrap_or_default().into(),
        format!("{:.1} of {:.1}", judged.evidence, judged.bound).into(),
    ]
}

fn found(finding: Finding) -> Line {
    match finding {
        Finding::Fail => Line::new(Tone::Bad, "worse"),
        Finding::Pass => Line::new(Tone::Good, "no harm"),
        Finding::Unclear => Line::new(Tone::Wait, "unclear"),
    }
}

fn name(what: What) -> &'static str {
    match what {
        What::ErrorRate => "error_rate",
        What::Latency => "latency",
        What::CostPerConversation => "cost_per_conversation",
    }
}

fn show(what: What, figure: f64) -> String {
    match what {
        What::ErrorRate => words::rate(figure),
        What::Latency => format!("p95 {}", words::latency(figure)),
        What::CostPerConversation => format!("{figure:.4}"),
    }
}

impl View for AlarmsView {
    fn lines(&self, _: &Clock) -> Vec<Line> {
        let alarms = &self.alarms;
        let rate = |count: u32| words::rate(f64::from(count) / f64::from(alarms.runs));
        let of = |count: u32| {
            format!(
                "{} of {}",
                words::count(count.into()),
                words::count(alarms.runs.into())
            )
        };
        let by = alarms
            .by
            .iter()
            .map(|(what, count)| Line::from(format!("  {} {}", name(*what), of(*count))));
        let all = format!(
            "a harmless release would be stopped in {} runs: {}, promised at most {}",
            of(alarms.stopped),
            rate(alarms.stopped),
            words::rate(alarms.promised)
        );
        [Line::from(all)].into_iter().chain(by).collect()
    }
}
