//! A line per event that matters, for logs of CI and pipes; a quiet one so that a log moves.

use std::collections::{BTreeMap, HashMap};

use super::{AGAIN, undoing};
use crate::analysis::{Finding, Verdict};
use crate::release::ReleaseId;
use crate::rollout::{Effect, Event, Gate, Live, Plan, Reason, Rollout, Side, Slot, Stamp};
use crate::spec::Percent;
use crate::ui::console::Console;
use crate::ui::line::{Line, Tone};
use crate::ui::say::Moment;
use crate::ui::serving::Serving;
use crate::ui::{say, words};

/// Milliseconds without a line until a quiet one comes.
const SILENCE: u64 = 30_000;

/// Gates in one line that cannot say.
const FEW: usize = 3;

/// What was said already, so that nothing is said twice.
#[derive(Debug, Default)]
pub(super) struct Lines {
    last: Stamp,
    failing: BTreeMap<(ReleaseId, u32), String>,
    paused: bool,
    /// Since when the hold is asked that was told to wait for a person.
    asks: Option<Stamp>,
    teller: Teller,
}

/// Says of each event what matters of it.
#[derive(Debug, Default)]
pub(in crate::ui) struct Teller {
    wanted: HashMap<Slot, u32>,
    asked: Option<(usize, Gate)>,
    undoing: bool,
}

/// What it is about, and what happened.
type Said = (String, Line);

fn said(about: impl Into<String>, what: impl Into<Line>) -> Said {
    (about.into(), what.into())
}

impl Lines {
    pub(super) fn event(&mut self, console: &mut Console, now: &Moment, event: &Event) {
        let verbose = console.wishes.verbose > 0;
        let all = self.teller.event(now, event, verbose);
        self.write(console, now.at, all);
    }

    pub(super) fn glimpse(&mut self, console: &mut Console, now: &Moment) {
        let mut all = self.failures(now);
        all.extend(self.pauses(now));
        all.extend(self.hold_asks(now));
        if all.is_empty() && now.at.0.saturating_sub(self.last.0) >= SILENCE {
            all.push(said("still", still(now)));
        }
        self.write(console, now.at, all);
    }

    fn write(&mut self, console: &mut Console, at: Stamp, all: Vec<Said>) {
        for (about, what) in all {
            console.log(at, &about, what);
            self.last = at;
        }
    }

    /// Replicas that fail in a way not told before.
    fn failures(&mut self, now: &Moment) -> Vec<Said> {
        let mut new = Vec::new();
        for serving in Serving::lately(now.rollout, now.seen) {
            for (failing, line) in serving.failing.iter().zip(serving.failures()) {
                let key = (serving.release, failing.replica);
                let told = self.failing.insert(key, failing.says.clone());
                if told.as_ref() != Some(&failing.says) {
                    new.push(said("failing", line));
                }
            }
        }
        new
    }

    /// Both releases fail a gate, or do so no more.
    fn pauses(&mut self, now: &Moment) -> Option<Said> {
        let both = now.verdicts.iter().find(|verdict| verdict.both);
        let before = std::mem::replace(&mut self.paused, both.is_some());
        match both {
            Some(verdict) if !before => Some(said("paused", Line::new(Tone::Wait, &verdict.says))),
            None if before => Some(said("gate", say::doing(now))),
            _ => None,
        }
    }

    /// A hold that is over and waits for a person.
    fn hold_asks(&mut self, now: &Moment) -> Option<Said> {
        let Some((Gate::Hold(_), since)) = now.rollout.gate() else {
            return None;
        };
        let asks = now.rollout.asks(now.verdicts, now.at).is_some();
        let is_new = asks && self.asks.replace(since) != Some(since);
        is_new.then(|| said("gate", still(now)))
    }
}

impl Teller {
    pub(in crate::ui) fn event(&mut self, now: &Moment, event: &Event, verbose: bool) -> Vec<Said> {
        let undo = self.undo_begins(now.rollout);
        let mut all: Vec<_> = match event {
            Event::Failed(..) if !undo.is_empty() => Vec::new(),
            Event::Failed(_, reason) => trouble("failed", reason),
            _ => self.happened(now, event, verbose).into_iter().collect(),
        };
        all.extend(undo);
        all.extend(self.gate_asked(now));
        all
    }

    fn happened(&mut self, now: &Moment, event: &Event, verbose: bool) -> Option<Said> {
        let plan = now.rollout.plan();
        match event {
            Event::Planned(plan) => Some(said("plan", planned(plan))),
            Event::Resumed(who) => Some(said("resumed", format!("by {who}"))),
            Event::Observed(live) => {
                self.wanted = [
                    (Slot::Stable, live.stable.wanted),
                    (Slot::Candidate, live.candidate.wanted),
                ]
                .into();
                verbose.then(|| said("seen", observed(plan, live)))
            }
            Event::Done(Effect::Ask(gate)) => Some(said("gate", opened(plan, gate, now.verdicts))),
            Event::Done(Effect::Scale(slot, replicas)) => {
                let before = self.wanted.insert(*slot, *replicas).unwrap_or(0);
                Some(said(say::who(plan, *slot), scaled(before, *replicas)))
            }
            Event::Done(effect) => done(plan, effect, verbose),
            Event::Approved(who) => Some(said("gate", format!("approved by {who}"))),
            Event::Aborted(_) => Some(said("aborted", AGAIN)),
            Event::Kept(_)
            | Event::Marked(_)
            | Event::Counted(_)
            | Event::Measured(_)
            | Event::Failed(..)
            | Event::Finished(_) => None,
        }
    }

    /// Says all that the failure which led to it would.
    fn undo_begins(&mut self, rollout: &Rollout) -> Vec<Said> {
        let Some(reason) = undoing(rollout).filter(|_| !self.undoing) else {
            return Vec::new();
        };
        self.undoing = true;
        trouble("undoing", reason)
    }

    fn gate_asked(&mut self, now: &Moment) -> Option<Said> {
        let asked = now
            .rollout
            .gate()
            .map(|(gate, _)| (now.rollout.row(), gate.clone()));
        let new = asked.is_some() && asked != self.asked;
        self.asked = asked;
        new.then(|| said("gate", say::asked(now)))
    }
}

/// Why, what the failing replica wrote last, and where the rest of it is.
fn trouble(about: &str, reason: &Reason) -> Vec<Said> {
    let says = said(about, Line::new(Tone::Bad, reason.says.as_str()));
    let lines = say::own_lines(reason, usize::MAX).map(|line| said("", line));
    let evidence = reason
        .evidence
        .iter()
        .map(|path| said("evidence", path.as_str()));
    std::iter::once(says).chain(lines).chain(evidence).collect()
}

fn planned(plan: &Plan) -> String {
    let kind = say::kind(plan.strategy, plan.from, plan.to);
    let steps = words::some(say::steps(plan) as u64, "step");
    let why = plan.chosen.iter().map(|why| format!(" (auto: {why})"));
    let why: String = why.collect();
    format!("{kind} {}, {steps}{why}", say::change(plan.from, plan.to))
}

fn observed(plan: &Plan, live: &Live) -> String {
    let side = |slot, side: &Side| {
        let leaving = match side.leaving {
            0 => String::new(),
            leaving => format!(", {leaving} leaving"),
        };
        format!(
            "{} {}/{} ready{leaving}",
            say::who(plan, slot),
            side.ready,
            side.wanted
        )
    };
    let stable = plan.stable().map(|_| side(Slot::Stable, &live.stable));
    let candidate = side(Slot::Candidate, &live.candidate);
    let traffic = live
        .weight
        .map(|weight| format!("traffic {}", traffic(plan, weight)));
    let parts: Vec<_> = stable
        .into_iter()
        .chain([candidate])
        .chain(traffic)
        .collect();
    parts.join("; ")
}

fn scaled(before: u32, replicas: u32) -> String {
    let count = |number: u32| words::some(number.into(), "replica");
    match replicas.checked_sub(before) {
        Some(0) => format!("{} kept", count(replicas)),
        Some(more) => format!("{} started", count(more)),
        None => format!("{} leaving", count(before - replicas)),
    }
}

fn done(plan: &Plan, effect: &Effect, verbose: bool) -> Option<Said> {
    match effect {
        Effect::AwaitReady(slot, ready) => Some(said(
            say::who(plan, *slot),
            format!("{ready} of {ready} ready"),
        )),
        Effect::Route(weight) => Some(said("traffic", traffic(plan, *weight))),
        Effect::Mirror(share) => Some(said(
            "copies",
            format!("{share} of requests to {}", plan.to),
        )),
        Effect::Retire(release) => Some(said(release.to_string(), "left over, leaving")),
        Effect::AwaitGone(_) => verbose.then(|| said("seen", "leaving replicas are gone")),
        Effect::Observe | Effect::Scale(..) | Effect::Ask(_) => None,
    }
}

/// `r13 10 %, r12 90 %`.
fn traffic(plan: &Plan, weight: Percent) -> String {
    let rest = Percent::from_hundredths(Percent::FULL.hundredths() - weight.hundredths());
    match plan.stable() {
        Some(stable) => format!("{} {weight}, {stable} {rest}", plan.to),
        None => format!("{} {weight}", plan.to),
    }
}

fn opened(plan: &Plan, gate: &Gate, verdicts: &[Verdict]) -> String {
    match gate {
        Gate::Probe => "probes passed".to_owned(),
        Gate::Approve(what) => format!("open: {what}"),
        Gate::Hold(period) => {
            // It may have ended early; then nobody waited so long.
            let early = plan.gates.iter().any(|gate| gate.early);
            let held = match period.is_zero() || early {
                true => "passed".to_owned(),
                false => format!("held {}", words::duration(period.as_millis())),
            };
            std::iter::once(held)
                .chain(said_of(verdicts))
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

/// What it still does, and what the gates still need.
fn still(now: &Moment) -> Line {
    let needs = unclear(now.verdicts).into_iter();
    let needs: String = needs.map(|says| format!("; {says}")).collect();
    say::doing(now).plain(needs)
}

/// All that could say, and some of what could not.
fn said_of(verdicts: &[Verdict]) -> Vec<String> {
    let clear = verdicts.iter();
    let clear = clear.filter(|verdict| verdict.finding != Finding::Unclear);
    let clear = clear.map(|verdict| verdict.says.clone());
    clear.chain(unclear(verdicts)).collect()
}

/// What cannot say yet: the first few, and how many more.
fn unclear(verdicts: &[Verdict]) -> Vec<String> {
    let all = verdicts.iter();
    let all = all.filter(|verdict| verdict.finding == Finding::Unclear);
    let mut says: Vec<String> = all.map(|verdict| verdict.says.clone()).collect();
    let more = says.len().saturating_sub(FEW);
    says.truncate(FEW);
    if more > 0 {
        says.push(format!("{more} more"));
    }
    says
}
