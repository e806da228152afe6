//! The picture of a rollout at one moment: its releases, its step, its gates.

use super::{AGAIN, Title, elapsed, undoing};
use crate::rollout::{Gate, Outcome, Phase, Reason, Rollout, Why};
use crate::ui::line::{Line, Tone};
use crate::ui::say::Moment;
use crate::ui::serving::{Role, Serving, failures};
use crate::ui::table::{Align, aligned};
use crate::ui::{say, words};

const BAR: usize = 24;
/// Of the failing replica's own lines.
const OWN: usize = 5;

pub(super) fn picture(title: &Title, now: &Moment) -> Vec<Line> {
    let releases = Serving::lately(now.rollout, now.seen);
    let mut lines = vec![header(title, now), Line::default()];
    lines.extend(rows(&releases));
    lines.extend(failures(&releases));
    lines.push(Line::default());
    lines.extend(undoing(now.rollout).map(undo));
    lines.push(step(now));
    lines.push(say::doing(now));
    lines.extend(now.verdicts.iter().map(say::verdict));
    lines.extend(
        reason(now.rollout)
            .into_iter()
            .flat_map(|reason| say::own_lines(reason, OWN)),
    );
    lines
}

/// Of what goes wrong, or went wrong.
fn reason(rollout: &Rollout) -> Option<&Reason> {
    undoing(rollout).or_else(|| say::outcome(rollout.outcome()).1)
}

fn header(title: &Title, now: &Moment) -> Line {
    let plan = now.rollout.plan();
    say::whose(&title.agent, title.environment.as_deref())
        .plain(format!("   {}", say::title(plan)))
        .dim(format!("   {}", elapsed(now)))
}

fn rows(releases: &[Serving]) -> Vec<Line> {
    let serving = releases.iter().filter(|one| one.role != Role::Draining);
    let mut measured = aligned(&[Align::Right; 3], serving.map(measured).collect()).into_iter();
    let rows = releases.iter().map(|release| {
        let rest = match release.role {
            Role::Draining => left(release),
            Role::Stable | Role::Candidate => measured.next().unwrap_or_default(),
        };
        vec![
            release.name(),
            release.replicas().into(),
            release.share().into(),
            rest,
        ]
    });
    aligned(
        &[Align::Left, Align::Left, Align::Right, Align::Left],
        rows.collect(),
    )
}

fn measured(release: &Serving) -> Vec<Line> {
    let errors = release
        .error_rate
        .map(|rate| format!("{} errors", words::rate(rate)));
    let latency = release
        .latency_p95
        .map(|seconds| format!("p95 {}", words::latency(seconds)));
    let cells = [
        Some(words::some(release.requests, "request")),
        errors,
        latency,
    ];
    cells
        .map(|cell| Line::default().dim(cell.unwrap_or_default()))
        .into()
}

/// What keeps a release that should go.
fn left(release: &Serving) -> Line {
    let open = match (release.open_conversations, release.open_requests) {
        (0, 0) => String::new(),
        (0, requests) => format!("{} open", words::some(requests, "request")),
        (conversations, _) => format!("{} open", words::some(conversations, "conversation")),
    };
    Line::default().dim(open)
}

/// `step 2 of 5   ━━━━━━━╌╌╌╌`.
fn step(now: &Moment) -> Line {
    let rollout = now.rollout;
    let done = (progress(now) * BAR as f64).round() as usize;
    let tone = match rollout.phase() {
        Phase::Undoing(_) => Tone::Bad,
        Phase::Forward | Phase::CleaningUp => Tone::Good,
    };
    Line::from(format!("{}   ", say::place(rollout)))
        .add(tone, "━".repeat(done))
        .dim("╌".repeat(BAR - done))
}

/// From 0 to 1: rows that were passed, and the part of a hold that is over.
fn progress(now: &Moment) -> f64 {
    let rollout = now.rollout;
    let passed = rollout.row() as f64 + holding(rollout, now);
    match rollout.outcome() {
        Some(Outcome::Completed) => 1.0,
        Some(Outcome::RolledBack(_)) => 0.0,
        _ => (passed / rollout.plan().steps.len() as f64).min(1.0),
    }
}

fn holding(rollout: &Rollout, now: &Moment) -> f64 {
    match rollout.gate() {
        Some((Gate::Hold(period), _)) => {
            let held = say::held(rollout, now.at) as f64;
            (held / period.as_millis().max(1) as f64).min(1.0)
        }
        _ => 0.0,
    }
}

fn undo(reason: &Reason) -> Line {
    let again = match reason.why {
        Why::Aborted => format!(" ({AGAIN})"),
        _ => String::new(),
    };
    Line::new(Tone::Bad, "undoing: ")
        .plain(reason.says.as_str())
        .dim(again)
}

#[cfg(test)]
mod tests;
