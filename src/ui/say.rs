//! A rollout in words: what it changes, what it does now, and what it came to.

use super::line::{Line, Tone};
use super::words;
use crate::analysis::{Finding, Verdict};
use crate::release::ReleaseId;
use crate::rollout::{
    Effect, Gate, Next, Outcome, Phase, Plan, Reason, Rollout, Slot, Stamp, Step, Waits,
};
use crate::spec::{Period, Strategy, Unclear};
use crate::target::Seen;

/// A rollout at one moment.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) rollout: &'a Rollout,
    pub(super) seen: &'a Seen,
    /// What the gates said last.
    pub(super) verdicts: &'a [Verdict],
    pub(super) at: Stamp,
}

/// `support-agent   production`.
pub(super) fn whose(agent: &str, environment: Option<&str>) -> Line {
    let environment = environment.map(|name| format!("   {name}"));
    Line::new(Tone::Strong, agent).plain(environment.unwrap_or_default())
}

/// Which table is walked: the strategy, where there is something to compare with.
pub(super) fn kind(strategy: Strategy, from: Option<ReleaseId>, to: ReleaseId) -> &'static str {
    match strategy {
        _ if from.is_none() => "first deploy",
        _ if from == Some(to) => "scale",
        Strategy::Rolling => "rolling",
        Strategy::BlueGreen => "blue-green",
        Strategy::Canary => "canary",
        Strategy::Shadow => "shadow",
        Strategy::Ab => "ab",
        Strategy::Auto => "auto",
    }
}

/// `canary   r12 → r13`, `scale   r12   3 → 5 replicas`.
pub(super) fn title(plan: &Plan) -> String {
    let kind = kind(plan.strategy, plan.from, plan.to);
    let change = change(plan.from, plan.to);
    let count = |rows: &[Step]| rows.last().map_or(0, |row| row.candidate);
    match plan.is_scale() {
        true => format!(
            "{kind}   {change}   {} → {} replicas",
            count(&plan.undo),
            count(&plan.steps)
        ),
        false => format!("{kind}   {change}"),
    }
}

/// `r12 → r13`; one release alone at a first deploy and when it is scaled.
pub(super) fn change(from: Option<ReleaseId>, to: ReleaseId) -> String {
    match from {
        Some(from) if from != to => format!("{from} → {to}"),
        _ => to.to_string(),
    }
}

/// The release in a slot; before a first deploy nobody is in the stable one.
pub(super) fn who(plan: &Plan, slot: Slot) -> String {
    match slot {
        Slot::Candidate => plan.to.to_string(),
        Slot::Stable => plan
            .stable()
            .map_or_else(|| "nothing".to_owned(), |id| id.to_string()),
    }
}

/// Rows that differ: where there is nothing to clean up the last one is no step of its own.
pub(super) fn steps(plan: &Plan) -> usize {
    let world = |step: &Step| (step.stable, step.candidate, step.weight);
    match plan.steps.as_slice() {
        [.., bake, clean] if world(bake) == world(clean) => plan.steps.len() - 1,
        steps => steps.len(),
    }
}

/// From 1 to [`steps`].
pub(super) fn step(rollout: &Rollout) -> usize {
    (rollout.row() + 1).min(steps(rollout.plan()))
}

/// `step 2 of 5`, `back to r12`: where it is in its table.
pub(super) fn place(rollout: &Rollout) -> String {
    match rollout.phase() {
        Phase::Undoing(_) => back(rollout.plan()),
        Phase::Forward | Phase::CleaningUp => {
            format!("step {} of {}", step(rollout), steps(rollout.plan()))
        }
    }
}

fn back(plan: &Plan) -> String {
    plan.stable().map_or_else(
        || "going back".to_owned(),
        |stable| format!("back to {stable}"),
    )
}

/// What it does or waits for at this moment; a look in the middle of a wait is no news.
pub(super) fn doing(now: &Moment) -> Line {
    match (now.rollout.next(), now.rollout.gate()) {
        (Next::Run(Effect::Observe), Some((gate, _))) => asking(now, gate),
        (next, _) => next_in_words(now, next),
    }
}

/// The same of a gate that begins to be asked: what it will come to is not known yet.
pub(super) fn asked(now: &Moment) -> Line {
    match (now.rollout.next(), now.rollout.gate()) {
        (Next::Run(Effect::Observe | Effect::Ask(_)), Some((Gate::Hold(period), _))) => {
            holding(now.rollout, *period, now.at).into()
        }
        _ => doing(now),
    }
}

fn next_in_words(now: &Moment, next: Next) -> Line {
    let plan = now.rollout.plan();
    match next {
        Next::Finish(outcome) => name(&outcome),
        Next::Run(Effect::Observe) => "looking at what runs".into(),
        Next::Run(Effect::Scale(slot, replicas)) => {
            let replicas = words::some(replicas.into(), "replica");
            format!("scaling {} to {replicas}", who(plan, slot)).into()
        }
        Next::Run(Effect::AwaitReady(slot, wanted)) => {
            awaiting(plan, now.seen, slot, wanted).into()
        }
        Next::Run(Effect::AwaitGone(_)) => "waiting for leaving replicas to finish".into(),
        Next::Run(Effect::Route(weight)) => format!("moving traffic: {} {weight}", plan.to).into(),
        Next::Run(Effect::Mirror(share)) => {
            format!("copying {share} of requests to {}", plan.to).into()
        }
        Next::Run(Effect::Retire(release)) => format!("retiring {release}").into(),
        Next::Run(Effect::Ask(gate)) => asking(now, &gate),
    }
}

fn awaiting(plan: &Plan, seen: &Seen, slot: Slot, wanted: u32) -> String {
    let release = match slot {
        Slot::Candidate => Some(plan.to),
        Slot::Stable => plan.stable(),
    };
    let seen = release.and_then(|id| seen.releases.get(&id));
    let ready = seen.map_or(0, |release| release.ready).min(wanted);
    format!("waiting for {}: {ready} of {wanted} ready", who(plan, slot))
}

fn asking(now: &Moment, gate: &Gate) -> Line {
    let rollout = now.rollout;
    if let Some(what) = rollout.asks(now.verdicts, now.at) {
        let verb = if rollout.is_test() {
            "promote a|b"
        } else {
            "approve"
        };
        let asked = format!("waiting for: agentctl {verb}");
        return Line::new(Tone::Wait, asked).dim(format!(" — {what}"));
    }
    match gate {
        Gate::Probe => format!("probing {}", rollout.plan().to).into(),
        Gate::Approve(what) => what.as_str().into(),
        Gate::Hold(period) => match rollout.stands(now.verdicts, now.at) {
            Some((Waits::Outage, _)) => paused(rollout),
            _ => holding(rollout, *period, now.at).into(),
        },
    }
}

fn paused(rollout: &Rollout) -> Line {
    let share = share(rollout.step());
    let says = format!("paused {share} until the releases no longer fail both");
    Line::new(Tone::Wait, says)
}

/// `holding at 10 %, 7 s of 10 s`; past its time it waits for gates that cannot say yet.
fn holding(rollout: &Rollout, period: Period, at: Stamp) -> String {
    let share = share(rollout.step());
    let held = held(rollout, at);
    let wanted = period.as_millis();
    match held {
        0 if wanted > 0 => format!("holding {share} for {}", words::duration(wanted)),
        held if held < wanted => {
            let [held, wanted] = [words::ticking(held), words::duration(wanted)];
            format!("holding {share}, {held} of {wanted}")
        }
        _ if wanted == 0 && !may_wait(rollout) => format!("holding {share}"),
        _ if !may_wait(rollout) => format!("holding {share}, {} are over", words::duration(wanted)),
        held => {
            let end = wanted + rollout.plan().patience.as_millis();
            let left = words::ticking(end.saturating_sub(held));
            format!("holding {share} until the gates can say, {left} at most")
        }
    }
}

/// Whether a gate that cannot say keeps a hold from its end.
fn may_wait(rollout: &Rollout) -> bool {
    let waits = |unclear| matches!(unclear, Unclear::Wait | Unclear::Approve);
    let mut gates = rollout.plan().gates.iter();
    gates.any(|gate| waits(gate.unclear))
}

/// `at 10 %`, `with copies of 100 %`: what the candidate has of the traffic.
fn share(step: &Step) -> String {
    match step.mirror.is_zero() {
        true => format!("at {}", step.weight),
        false => format!("with copies of {}", step.mirror),
    }
}

/// `✓ error_rate 0.2 % is at most 1.0 %`.
pub(super) fn verdict(verdict: &Verdict) -> Line {
    let (tone, glyph) = match verdict.finding {
        Finding::Pass => (Tone::Good, "✓"),
        Finding::Fail => (Tone::Bad, "✗"),
        Finding::Unclear => (Tone::Wait, "○"),
    };
    Line::new(tone, glyph).plain(format!(" {}", verdict.says))
}

/// What a person types when it stands still.
pub(crate) fn next(rollout: &Rollout) -> &'static str {
    match rollout.phase() {
        Phase::Forward => "agentctl resume goes on with it, agentctl abort undoes it",
        Phase::Undoing(_) | Phase::CleaningUp => "agentctl resume goes on with it",
    }
}

/// The failing replica's own last lines, this many at most.
pub(super) fn own_lines(reason: &Reason, most: usize) -> impl Iterator<Item = Line> {
    let hidden = reason.lines.len().saturating_sub(most);
    let shown = reason.lines.iter().skip(hidden);
    shown.map(|line| Line::default().dim(format!("  │ {line}")))
}

/// Milliseconds that the gate has been asked for.
pub(super) fn held(rollout: &Rollout, at: Stamp) -> u64 {
    rollout
        .gate()
        .map_or(0, |(_, since)| at.0.saturating_sub(since.0))
}

/// The outcome's name for programs, and why.
pub(crate) fn outcome(outcome: Option<&Outcome>) -> (&'static str, Option<&Reason>) {
    match outcome {
        None => ("unfinished", None),
        Some(Outcome::Completed) => ("completed", None),
        Some(Outcome::RolledBack(reason)) => ("rolled_back", Some(reason)),
        Some(Outcome::Stalled(reason)) => ("stalled", Some(reason)),
    }
}

/// `rolled back`.
pub(super) fn name(outcome: &Outcome) -> Line {
    match outcome {
        Outcome::Completed => Line::new(Tone::Good, "completed"),
        Outcome::RolledBack(_) => Line::new(Tone::Bad, "rolled back"),
        Outcome::Stalled(_) => Line::new(Tone::Bad, "stalled"),
    }
}

/// `rolled back: error_rate 33.3 % is above 5.0 %`.
pub(super) fn ended(ended: &Outcome) -> Line {
    let (_, reason) = outcome(Some(ended));
    let why = reason.map(|reason| format!(": {}", reason.says));
    name(ended).plain(why.unwrap_or_default())
}
