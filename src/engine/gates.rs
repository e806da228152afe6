//! Gates: asked until they open, fail, or their time is up.

use std::cell::RefCell;

use anyhow::Result;
use tokio::time::Duration;

use super::Engine;
use super::compare::Spending;
use super::figures::{Answers, Figures};
use super::looks::Looks;
use super::opening::{LOOK, Opening, Times, named, opening};
use super::perform::Failure;
use super::ready::because;
use crate::analysis::{Finding, Measures, SOME, Verdict, judge, judge_beside};
use crate::journal::Store;
use crate::rollout::{Effect, Event, Gate, Stamp, Why};
use crate::spec::{MetricGate, Period};
use crate::target::{Seen, SeenRelease, Target};

/// What has gone wrong for so long is seen, whatever went well before.
const LATELY: Period = Period::secs(20);

/// The candidate's window and the stable release's, and what of them is of a moment ago: what went well
/// before may not hide what goes wrong now.
struct Windows {
    all: [Measures; 2],
    lately: [Measures; 2],
}

impl Windows {
    /// What was a moment ago says enough by itself.
    fn is_told_lately(&self) -> bool {
        self.lately.iter().all(|window| window.requests >= SOME)
    }
}

/// What is known of a hold beside what is seen at this moment.
struct Holding<'e> {
    began: Stamp,
    over: Stamp,
    figures: Figures<'e>,
    spending: Spending,
    looks: Looks,
    paused: Option<Stamp>,
}

/// What a hold goes on with after something of it was written down.
#[derive(Default)]
pub(crate) struct Kept(RefCell<Option<Carried>>);

struct Carried {
    began: Stamp,
    said: Answers,
    looks: Looks,
    paused: Option<Stamp>,
}

impl Kept {
    fn keep(&self, holding: Holding<'_>) {
        *self.0.borrow_mut() = Some(Carried {
            began: holding.began,
            said: holding.figures.said,
            looks: holding.looks,
            paused: holding.paused,
        });
    }

    fn take(&self, began: Stamp) -> Option<Carried> {
        let carried = self.0.borrow_mut().take();
        carried.filter(|carried| carried.began == began)
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// Judges the metric gates all through the hold, and beyond it while one is unclear; the answer
    /// is what happened: the gates are open, or there is something to write down before they are
    /// asked again.
    pub(super) async fn hold(&self, period: Period) -> Result<Event, Failure> {
        let mut holding = self.holding(period);
        let mut seen = self.target.observe().await?;
        loop {
            let windows = self.both_windows(&seen, &mut holding.looks);
            self.candidate_is_well(&seen, &windows)?;
            self.read_spent(&mut holding.spending).await?;
            if let Some(counted) = self.much_was_read(&seen, &holding) {
                self.kept.keep(holding);
                return Ok(counted);
            }
            let verdicts = self.verdicts(&seen, &holding, &windows);
            self.glimpse(&seen, &verdicts);
            let until = match self.opening(&verdicts, &holding) {
                // Nobody passes a gate before it was asked once.
                Opening::Open | Opening::Silent(_) if self.is_waiting(&holding) => {
                    Stamp((self.clock)().0 + LOOK)
                }
                Opening::Open => return Ok(Event::Done(Effect::Ask(Gate::Hold(period)))),
                Opening::Shut(says) | Opening::Silent(says) => {
                    return Err(judged(Why::Gate, says, &seen, verdicts));
                }
                Opening::Wait(until) => {
                    holding.paused = None;
                    until
                }
                Opening::Paused(says) => {
                    let since = *holding.paused.get_or_insert((self.clock)());
                    let until = Stamp(since.0 + self.rollout.plan().patience.as_millis());
                    if until <= (self.clock)() {
                        let says = format!("{says}, and patience is over");
                        return Err(judged(Why::Outage, says, &seen, verdicts));
                    }
                    until
                }
            };
            seen = self.next_until(until, seen, &mut holding.figures).await?;
        }
    }

    fn holding(&self, period: Period) -> Holding<'_> {
        let began = match self.rollout.gate() {
            Some((_, since)) => since,
            None => (self.clock)(),
        };
        let over = Stamp(began.0 + period.as_millis());
        let gates = self.rollout.plan().gates.iter();
        let windows = gates.filter_map(|gate| gate.window).chain([LATELY]);
        let carried = self.kept.take(began).unwrap_or_else(|| Carried {
            began,
            said: Answers::default(),
            looks: Looks::of(windows),
            paused: None,
        });
        Holding {
            began,
            over,
            figures: self.figures(over, carried.said),
            spending: self.spending(),
            looks: carried.looks,
            paused: carried.paused,
        }
    }

    /// Once the hold is over, what a source said before is not enough.
    fn is_waiting(&self, holding: &Holding<'_>) -> bool {
        let is_over = (self.clock)() >= holding.over;
        holding.figures.is_waiting(is_over.then_some(holding.over))
    }

    fn much_was_read(&self, seen: &Seen, holding: &Holding<'_>) -> Option<Event> {
        let spending = Some(&holding.spending).filter(|spending| spending.is_much())?;
        self.count(seen, spending).map(Event::Counted)
    }

    /// A person's word comes as an interruption; until then the gates are on wherever the candidate is
    /// asked anything. In an A/B test they are shown only: a person decides.
    pub(super) async fn await_approval(&self) -> Result<(), Failure> {
        let mut holding = self.holding(Period::default());
        let mut seen = self.target.observe().await?;
        loop {
            let windows = self.both_windows(&seen, &mut holding.looks);
            self.candidate_is_well(&seen, &windows)?;
            self.read_spent(&mut holding.spending).await?;
            let verdicts = self.verdicts(&seen, &holding, &windows);
            self.glimpse(&seen, &verdicts);
            let failed = verdicts.iter().find(|v| v.finding == Finding::Fail);
            if let Some(says) = failed.filter(|_| self.acts_meanwhile()).map(named) {
                return Err(judged(Why::Gate, says, &seen, verdicts));
            }
            let some_time = Stamp((self.clock)().0 + LOOK);
            seen = self
                .next_until(some_time, seen, &mut holding.figures)
                .await?;
        }
    }

    fn acts_meanwhile(&self) -> bool {
        let step = self.rollout.step();
        let is_asked = !step.weight.is_zero() || !step.mirror.is_zero();
        is_asked && self.rollout.plan().ab.is_none()
    }

    /// The next look or answer, at the latest when the wait is over.
    async fn next_until<'e>(
        &'e self,
        until: Stamp,
        seen: Seen,
        figures: &mut Figures<'e>,
    ) -> Result<Seen> {
        let left = until.0.saturating_sub((self.clock)().0);
        tokio::select! {
            next = self.target.next() => next,
            () = self.next_answer(figures) => Ok(seen),
            () = tokio::time::sleep(Duration::from_millis(left)) => Ok(seen),
        }
    }

    fn both_windows(&self, seen: &Seen, looks: &mut Looks) -> Windows {
        let plan = self.rollout.plan();
        let all = [Some(plan.to), plan.stable()].map(|id| {
            let window = id.and_then(|id| seen.window(id));
            window.cloned().unwrap_or_default()
        });
        let now = (self.clock)();
        looks.take(now, [&all[0], &all[1]]);
        let lately = looks.lately(LATELY, now, [&all[0], &all[1]]);
        Windows { all, lately }
    }

    /// What no gate has to say: its replicas are ready, and it does not fail half of all requests.
    fn candidate_is_well(&self, seen: &Seen, windows: &Windows) -> Result<(), Failure> {
        let to = self.rollout.plan().to;
        let wanted = self.rollout.step().candidate;
        let none = SeenRelease::default();
        let side = seen.releases.get(&to).unwrap_or(&none);
        if side.ready < wanted {
            let because = because(to, side);
            let says = format!(
                "{to} has {} of {wanted} replicas ready{because}",
                side.ready
            );
            return Err(Failure::new(Why::LostReadiness, says).seeing(seen));
        }
        match self.half_fails(windows) {
            Some(verdict) if !verdict.both => Err(judged(
                Why::Failing,
                verdict.says.clone(),
                seen,
                vec![verdict],
            )),
            _ => Ok(()),
        }
    }

    /// Found where half of the candidate's requests fail, at this weight or lately; of both, where the
    /// stable release's do nearly as often.
    fn half_fails(&self, windows: &Windows) -> Option<Verdict> {
        let plan = self.rollout.plan();
        let as_well = |beside: &Measures| self.can_compare() && beside.fails(4, SOME / 2);
        let fails = |[mine, _]: &&[Measures; 2]| mine.fails(2, SOME);
        let found = [&windows.all, &windows.lately].into_iter().find(fails)?;
        // What both failed together is over where it is not so any more.
        let found = match as_well(&found[1]) && windows.is_told_lately() {
            true => Some(&windows.lately).filter(fails)?,
            false => found,
        };
        let [mine, beside] = found;
        let as_well = as_well(beside);
        let stable = plan.stable().filter(|_| as_well);
        let says = format!(
            "{} of {} requests to {} failed",
            mine.errors, mine.requests, plan.to
        );
        Some(Verdict {
            gate: "requests".to_owned(),
            finding: Finding::Unclear,
            figure: mine.error_rate(),
            says: match stable {
                Some(stable) => format!("{says}, and {stable} fails as well"),
                None => says,
            },
            evidence: None,
            both: stable.is_some(),
        })
    }

    /// Found where the candidate has answered nobody while the stable release has: no figure of its
    /// answers would ever say so.
    fn answers_nobody(&self, windows: &Windows) -> Option<Verdict> {
        let plan = self.rollout.plan();
        let [mine, beside] = &windows.all;
        let stable = plan.stable().filter(|_| self.can_compare())?;
        // Of a copy only the end is heard.
        let is_mute = mine.requests.max(mine.heard) == 0 && mine.open > 0;
        let is_mute = is_mute && beside.requests >= SOME;
        is_mute.then(|| Verdict {
            gate: "requests".to_owned(),
            finding: Finding::Unclear,
            figure: None,
            says: format!(
                "{} has answered none of {} so far, and {stable} {} meanwhile",
                plan.to,
                requests(mine.open),
                beside.requests
            ),
            evidence: None,
            both: false,
        })
    }

    fn verdicts(&self, seen: &Seen, holding: &Holding<'_>, windows: &Windows) -> Vec<Verdict> {
        let plan = self.rollout.plan();
        let [mine, beside] = &windows.all;
        let now = (self.clock)();
        let verdict = |(at, gate): (usize, &MetricGate)| {
            if gate.source.is_some() {
                return self.sourced(at, gate, &holding.figures);
            }
            if gate.against.is_some() {
                let compared = self.compared(at, gate, seen, &holding.spending);
                return compared.unwrap_or_else(|| Verdict::nothing_seen(gate));
            }
            let [mine, beside] = match gate.window {
                Some(window) => holding.looks.lately(window, now, [mine, beside]),
                None => [mine.clone(), beside.clone()],
            };
            let Some(stable) = plan.stable().filter(|_| self.can_compare()) else {
                return judge(gate, &mine);
            };
            let stable = stable.to_string();
            let verdict = judge_beside(gate, &mine, (&stable, &beside));
            match verdict.both && windows.is_told_lately() {
                true => judge_beside(gate, &windows.lately[0], (&stable, &windows.lately[1])),
                false => verdict,
            }
        };
        let verdicts = self.asked_now().map(verdict);
        let beside_gates = [self.half_fails(windows), self.answers_nobody(windows)];
        verdicts.chain(beside_gates.into_iter().flatten()).collect()
    }

    /// Without a stable release that has traffic there is nothing to compare with.
    pub(super) fn asked_now(&self) -> impl Iterator<Item = (usize, &MetricGate)> {
        let gates = self.rollout.plan().gates.iter().enumerate();
        gates.filter(|(_, gate)| gate.against.is_none() || self.can_compare())
    }

    fn opening(&self, verdicts: &[Verdict], holding: &Holding<'_>) -> Opening {
        let plan = self.rollout.plan();
        let times = Times {
            now: (self.clock)(),
            over: holding.over,
            give_up: Stamp(holding.over.0 + plan.patience.as_millis()),
            is_held: holding.over > holding.began,
        };
        let gates: Vec<&MetricGate> = self.asked_now().map(|(_, gate)| gate).collect();
        opening(&gates, verdicts, &times)
    }
}

fn requests(count: u64) -> String {
    match count {
        1 => "1 request".to_owned(),
        count => format!("{count} requests"),
    }
}

fn judged(why: Why, says: String, seen: &Seen, verdicts: Vec<Verdict>) -> Failure {
    let failure = Failure::new(why, says).seeing(seen);
    Failure {
        verdicts,
        ..failure
    }
}
