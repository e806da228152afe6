//! Where a rollout stands: a fold over its events, and what comes next.
//!
//! Invariants: the state depends on the events and nothing else; no effect is chosen on a view of
//! the world that is in doubt; once the last row is headed for nothing is undone.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};

use super::event::{Counted, Effect, Event, Live, Marks, Next, Outcome, Reason, Stamp, Why};
use super::person::aborted;
use super::plan::{Gate, Plan, Step};
use super::walk::{RULES, Rule, View, towards};
use crate::spec::Percent;

/// Failures in a row, where there is nothing to undo to, until a person is needed.
const ATTEMPTS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase<'a> {
    Forward,
    Undoing(&'a Reason),
    /// Past the point of no return.
    CleaningUp,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollout {
    pub(super) plan: Arc<Plan>,
    pub(super) started: Stamp,
    /// Why it is undone; `None` on the way forward.
    pub(super) undoing: Option<Reason>,
    /// Index into the plan's steps, or into its undo.
    pub(super) row: usize,
    /// When the row's world was first reached.
    pub(super) reached: Option<Stamp>,
    /// Gates of the row that have opened.
    pub(super) opened: usize,
    /// When the current gate began to be asked.
    pub(super) asked: Option<Stamp>,
    /// `None`: in doubt.
    pub(super) live: Option<Live>,
    /// By row: what gates that compare go by.
    pub(super) counted: Vec<Counted>,
    pub(super) marks: Marks,
    /// Failures since something last worked.
    pub(super) failures: u32,
    /// What it came to.
    pub(super) outcome: Option<Outcome>,
    /// The outcome is written down.
    pub(super) finished: Option<Stamp>,
}

/// What the engine and the UI ask.
impl Rollout {
    /// # Errors
    /// When the events are no rollout: they do not begin with its plan, or go on after its end.
    pub(crate) fn replay(events: impl IntoIterator<Item = (Stamp, Event)>) -> Result<Self> {
        let mut events = events.into_iter();
        let mut rollout = match events.next() {
            Some((at, Event::Planned(plan))) => Self::begin(at, *plan)?,
            _ => bail!("the journal of this rollout does not begin with its plan"),
        };
        events.try_for_each(|(at, event)| rollout.apply(at, event))?;
        Ok(rollout)
    }

    /// # Errors
    /// When the plan cannot be walked.
    pub(crate) fn begin(at: Stamp, plan: Plan) -> Result<Self> {
        plan.check()?;
        Ok(Self {
            plan: Arc::new(plan),
            started: at,
            undoing: None,
            row: 0,
            reached: None,
            opened: 0,
            asked: None,
            live: None,
            counted: Vec::new(),
            marks: Marks::new(),
            failures: 0,
            outcome: None,
            finished: None,
        })
    }

    /// # Errors
    /// When the event cannot come here; the state is as before.
    pub(crate) fn apply(&mut self, at: Stamp, event: Event) -> Result<()> {
        self.apply_by(&RULES, at, event)
    }

    pub(crate) fn next(&self) -> Next {
        self.next_by(&RULES)
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn phase(&self) -> Phase<'_> {
        match &self.undoing {
            Some(reason) => Phase::Undoing(reason),
            None if self.row + 1 == self.plan.steps.len() => Phase::CleaningUp,
            None => Phase::Forward,
        }
    }

    /// Index of the row that is headed for: of `plan.undo` while undoing, else of `plan.steps`.
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// The row that is headed for.
    pub(crate) fn step(&self) -> &Step {
        match self.undoing {
            Some(_) => &self.plan.undo[self.row],
            None => &self.plan.steps[self.row],
        }
    }

    /// When the row's world was first reached; a restart does not change it.
    #[cfg(test)]
    pub(crate) fn reached(&self) -> Option<Stamp> {
        self.reached
    }

    /// The gate that is asked now, and since when; `None` on the way to the row's world.
    pub(crate) fn gate(&self) -> Option<(&Gate, Stamp)> {
        self.step().gates.get(self.opened).zip(self.asked)
    }

    /// What was counted in the rows that were left.
    pub(crate) fn counted(&self) -> &[Counted] {
        &self.counted
    }

    /// What counts as slow for the gates that compare latencies.
    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The world as known; `None` where it has to be looked at first.
    #[cfg(test)]
    pub(crate) fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }

    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Whether there is something to go on with: it has not ended, or stalled.
    pub(crate) fn can_go_on(&self) -> bool {
        self.finished.is_none() || matches!(self.outcome, Some(Outcome::Stalled(_)))
    }

    pub(crate) fn started(&self) -> Stamp {
        self.started
    }

    /// When its outcome was written down.
    pub(crate) fn finished(&self) -> Option<Stamp> {
        self.finished
    }
}

/// The fold. The rules are handed in so that the simulation can show that each is needed.
impl Rollout {
    pub(super) fn next_by(&self, rules: &[Rule]) -> Next {
        if let Some(outcome) = &self.outcome {
            return Next::Finish(outcome.clone());
        }
        Next::Run(match (self.towards(rules), self.gate()) {
            (None, _) => Effect::Observe,
            (Some(Some(effect)), _) => effect,
            (Some(None), Some((gate, _))) => Effect::Ask(gate.clone()),
            (Some(None), None) => Effect::Observe,
        })
    }

    pub(super) fn apply_by(&mut self, rules: &[Rule], at: Stamp, event: Event) -> Result<()> {
        self.fold(at, event)?;
        self.settle(rules, at);
        Ok(())
    }

    fn fold(&mut self, at: Stamp, event: Event) -> Result<()> {
        match event {
            Event::Resumed(_) => return self.resume(),
            // A person may be a moment too late.
            Event::Approved(_) => self.approve(at),
            Event::Aborted(who) => self.abort(aborted(&who)),
            Event::Kept(who) => self.abort(self.kept(&who)),
            Event::Planned(_) => bail!("the journal of this rollout holds a second plan"),
            _ if self.finished.is_some() => bail!("the journal goes on after the rollout's end"),
            Event::Observed(live) => self.live = Some(live),
            Event::Counted(counted) => self.count(counted),
            Event::Marked(marks) => marks.into_iter().for_each(|(gate, times)| {
                self.marks.entry(gate).or_insert(times);
            }),
            Event::Measured(_) => {}
            Event::Done(effect) => self.done(at, &effect),
            Event::Failed(effect, reason) => self.fail(&effect, reason),
            Event::Finished(outcome) => self.finish(at, outcome),
        }
        Ok(())
    }

    /// A row whose gate is asked again, after a crash, counts once.
    fn count(&mut self, counted: Counted) {
        self.counted.retain(|before| before.row != counted.row);
        self.counted.push(counted);
    }

    fn resume(&mut self) -> Result<()> {
        if let Some(Outcome::Stalled(_)) = self.outcome {
            self.failures = 0;
            self.finished = None;
        }
        ensure!(
            self.finished.is_none(),
            "the journal goes on after the rollout's end"
        );
        self.outcome = None;
        self.live = None;
        Ok(())
    }

    fn finish(&mut self, at: Stamp, outcome: Outcome) {
        self.outcome = Some(outcome);
        self.finished = Some(at);
    }

    fn done(&mut self, at: Stamp, effect: &Effect) {
        self.failures = 0;
        if let Some(live) = &mut self.live {
            live.after(effect);
        }
        // In one set others changed too.
        if self.plan.one_set && matches!(effect, Effect::Scale(..)) {
            self.live = None;
        }
        if let Effect::Ask(gate) = effect {
            self.open(at, |asked| asked == gate);
        }
    }

    fn approve(&mut self, at: Stamp) {
        if self.may_ask(at) {
            self.open(at, |_| true);
        }
    }

    /// A gate may take hours: what was known of the world before it is in doubt.
    fn open(&mut self, at: Stamp, this: impl Fn(&Gate) -> bool) {
        if self.gate().is_some_and(|(gate, _)| this(gate)) {
            self.opened += 1;
            self.asked = Some(at);
            self.live = None;
        }
    }

    fn abort(&mut self, reason: Reason) {
        let over = matches!(
            self.outcome,
            Some(Outcome::Completed | Outcome::RolledBack(_))
        );
        if over {
            return;
        }
        self.live = None;
        if self.phase() == Phase::Forward {
            self.undo(reason);
        }
    }

    fn fail(&mut self, effect: &Effect, reason: Reason) {
        self.live = None;
        match self.phase() {
            // What cannot even be looked at cannot be undone either.
            Phase::Forward if *effect == Effect::Observe => self.retry(reason),
            Phase::Forward if self.waits_for_a_person(&reason) => self.stall(reason),
            Phase::Forward => self.undo(reason),
            Phase::Undoing(_) | Phase::CleaningUp => self.retry(reason),
        }
    }

    fn waits_for_a_person(&self, reason: &Reason) -> bool {
        let undoes = self.plan.auto_undo || !matches!(reason.why, Why::Gate | Why::Probe);
        !undoes || reason.why == Why::Outage
    }

    fn retry(&mut self, reason: Reason) {
        self.failures += 1;
        if self.failures >= ATTEMPTS {
            self.stall(reason);
        }
    }

    fn stall(&mut self, reason: Reason) {
        self.outcome = Some(Outcome::Stalled(reason));
    }

    fn undo(&mut self, reason: Reason) {
        self.undoing = Some(reason);
        self.outcome = None;
        self.finished = None;
        self.failures = 0;
        self.enter(self.row);
    }

    fn enter(&mut self, row: usize) {
        self.row = row;
        self.reached = None;
        self.opened = 0;
        self.asked = None;
    }

    /// Passes every row whose world is there and whose gates are open.
    pub(super) fn settle(&mut self, rules: &[Rule], at: Stamp) {
        while self.outcome.is_none() && self.towards(rules) == Some(None) {
            self.reached.get_or_insert(at);
            self.asked.get_or_insert(at);
            if self.gate().is_some() {
                return;
            }
            self.advance();
        }
    }

    fn advance(&mut self) {
        match (&self.undoing, self.row) {
            (Some(reason), 0) => self.outcome = Some(Outcome::RolledBack(reason.clone())),
            (Some(_), row) => self.enter(row - 1),
            (None, row) if row + 1 == self.plan.steps.len() => {
                self.outcome = Some(Outcome::Completed);
            }
            (None, row) => self.enter(row + 1),
        }
    }

    /// `None`: in doubt; `Some(None)`: the row's world is there.
    fn towards(&self, rules: &[Rule]) -> Option<Option<Effect>> {
        let live = self.live.as_ref()?;
        let limit = self.plan.limit;
        let want = &self.heading(live);
        Some(towards(rules, &View { live, want, limit }))
    }

    /// An undo leans only on candidates that are ready: it neither starts nor awaits any.
    fn heading(&self, live: &Live) -> Step {
        let step = self.step();
        let ready = live.candidate.ready;
        let lean = self.undoing.is_some() && self.plan.stable().is_some();
        match lean && ready < step.candidate {
            true => {
                let stable = self.beside(ready);
                let share = Percent::of(ready, stable + ready);
                Step::new(stable, ready, step.weight.min(share))
            }
            false => step.clone(),
        }
    }

    /// How many of stable belong beside so many candidates: in one set, all other places.
    fn beside(&self, candidates: u32) -> u32 {
        let step = self.step();
        match self.plan.one_set {
            true => step.stable + step.candidate - candidates,
            false => step.stable,
        }
    }
}

#[cfg(test)]
mod tests;
