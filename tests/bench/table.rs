//! What is printed: aligned tables, and at the end each figure beside its goal.
#![allow(clippy::print_stdout)]

use crate::stats::Sample;

pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(ToString::to_string).collect()])
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    pub(crate) fn print(&self) {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        for row in &self.0 {
            say(&line(row, &widths));
        }
        say("");
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.0.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

/// What has been measured often, each as its median and its worst.
pub(crate) fn times(head: &str, rows: &[(&str, &Sample)]) {
    let mut table = Table::new(&[head, "median", "p95", "max", "runs"]);
    for (name, times) in rows {
        table.row([
            (*name).to_owned(),
            amount(times.median(), "ms"),
            amount(times.quantile(0.95), "ms"),
            amount(times.max(), "ms"),
            times.count().to_string(),
        ]);
    }
    table.print();
}

/// The first column holds names, the others numbers.
fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let cells: Vec<String> = cells
        .map(|(at, (cell, &width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        })
        .collect();
    cells.join("   ").trim_end().to_owned()
}

/// One figure, its goal, and whether it was reached.
pub(crate) struct Finding {
    figure: String,
    goal: String,
    measured: String,
    reached: &'static str,
}

impl Finding {
    pub(crate) fn at_most(figure: &str, measured: f64, goal: f64, unit: &str) -> Self {
        Self::new(figure, ("≤", measured <= goal), measured, goal, unit)
    }

    pub(crate) fn at_least(figure: &str, measured: f64, goal: f64, unit: &str) -> Self {
        Self::new(figure, ("≥", measured >= goal), measured, goal, unit)
    }

    pub(crate) fn exactly(figure: &str, measured: u64, goal: u64) -> Self {
        let reached = ("=", measured == goal);
        Self::new(figure, reached, measured as f64, goal as f64, "")
    }

    fn new(
        figure: &str,
        (relation, reached): (&str, bool),
        measured: f64,
        goal: f64,
        unit: &str,
    ) -> Self {
        Self {
            figure: figure.to_owned(),
            goal: format!("{relation} {}", amount(goal, unit)),
            measured: amount(measured, unit),
            reached: if reached { "yes" } else { "NO" },
        }
    }

    pub(crate) fn skipped(figure: &str, why: &str) -> Self {
        say(&format!("skipped: {why}\n"));
        Self {
            figure: figure.to_owned(),
            goal: String::new(),
            measured: why.to_owned(),
            reached: "skipped",
        }
    }

    pub(crate) fn broken(figure: &str, error: &anyhow::Error) -> Self {
        say(&format!("broken: {error:#}\n"));
        Self {
            figure: figure.to_owned(),
            goal: String::new(),
            measured: "could not be measured".to_owned(),
            reached: "NO",
        }
    }
}

pub(crate) fn summary(findings: &[Finding]) {
    heading("summary");
    let mut table = Table::new(&["figure", "goal", "measured", "reached"]);
    for found in findings {
        table.row([
            found.figure.clone(),
            found.goal.clone(),
            found.measured.clone(),
            found.reached.to_owned(),
        ]);
    }
    table.print();
}

pub(crate) fn heading(name: &str) {
    say(&format!("── {name} ──\n"));
}

pub(crate) fn say(text: &str) {
    println!("{text}");
}

pub(crate) fn amount(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value)).trim_end().to_owned()
}

/// As many digits as tell something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
