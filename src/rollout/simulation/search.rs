//! Tries every schedule: a depth-first search over (rollout, world, faults left) that visits no
//! state twice.

use std::collections::HashMap;

use super::super::event::{Effect, Event, Live, Next, Outcome, Reason, Slot, Stamp, Why};
use super::super::state::{Phase, Rollout};
use super::super::walk::{RULES, Rule};
use super::scenario::Scenario;
use super::world::World;

/// What folds the events: the rollout's rules, or a mutant of them.
pub(super) struct Rig {
    pub(super) rules: Vec<Rule>,
    /// Undoes, after an event, a piece of what it did to the state.
    pub(super) twist: fn(&Rollout, &Event, &mut Rollout),
}

impl Rig {
    pub(super) fn sound() -> Self {
        Self {
            rules: RULES.to_vec(),
            twist: |_, _, _| {},
        }
    }
}

/// A schedule so far. What happened to it decides how it may end.
#[derive(Clone)]
struct Run {
    rollout: Rollout,
    world: World,
    faults: u8,
    tale: Tale,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Tale {
    aborted: bool,
    refused: bool,
    /// An effect was reported as failed.
    failed: bool,
    lost: bool,
}

type Key = (
    Option<Reason>,
    usize,
    Option<usize>,
    Option<Live>,
    u32,
    Option<Outcome>,
    World,
    Tale,
);

/// Faults left when a state was visited, and whether all that follows it has been.
type Visited = HashMap<Key, (u8, bool)>;

type Checked = Result<(), String>;

pub(super) fn search(scenario: &Scenario, rig: &Rig) -> Checked {
    let plan = scenario.plan.clone();
    let run = Run {
        rollout: Rollout::begin(Stamp(0), plan.clone()).map_err(|error| error.to_string())?,
        world: scenario.world.clone(),
        faults: scenario.faults,
        tale: Tale::default(),
    };
    let mut search = Search {
        scenario,
        rig,
        visited: Visited::new(),
        journal: vec![Event::Planned(Box::new(plan))],
    };
    search.visit(run)
}

struct Search<'a> {
    scenario: &'a Scenario,
    rig: &'a Rig,
    visited: Visited,
    journal: Vec<Event>,
}

impl Search<'_> {
    fn visit(&mut self, run: Run) -> Checked {
        let key = run.key();
        match self.visited.get(&key) {
            Some((faults, false)) if *faults == run.faults => return Err("never ends".to_owned()),
            Some((faults, true)) if *faults >= run.faults => return Ok(()),
            _ => {}
        }
        self.visited.insert(key.clone(), (run.faults, false));
        let faults = run.faults;
        match run.rollout.next_by(&self.rig.rules) {
            Next::Run(effect) => self.branch(&run, &effect)?,
            Next::Finish(outcome) => self.end(run, &outcome)?,
        }
        self.visited.insert(key, (faults, true));
        Ok(())
    }

    fn branch(&mut self, run: &Run, effect: &Effect) -> Checked {
        self.works(run, effect)?;
        self.people(run, effect)?;
        match run.faults {
            0 => Ok(()),
            _ => self.faults(run, effect),
        }
    }

    fn works(&mut self, run: &Run, effect: &Effect) -> Checked {
        let mut run = run.clone();
        let event = match (self.act(&mut run, effect)?, effect) {
            (true, Effect::Observe) => Event::Observed(run.world.0.clone()),
            (true, _) => Event::Done(effect.clone()),
            (false, _) => Event::Failed(effect.clone(), reason(Why::NotReady)),
        };
        self.go_on(run, event)
    }

    /// Gates that say no, and a person who says stop: possible everywhere, once.
    fn people(&mut self, run: &Run, effect: &Effect) -> Checked {
        if let (Effect::Ask(_), false) = (effect, run.tale.refused) {
            let mut run = run.clone();
            run.tale.refused = true;
            self.go_on(run, Event::Failed(effect.clone(), reason(Why::Gate)))?;
        }
        if run.tale.aborted {
            return Ok(());
        }
        let mut run = run.clone();
        run.tale.aborted = run.rollout.phase() == Phase::Forward;
        if !run.tale.aborted {
            return Ok(());
        }
        self.go_on(run.clone(), Event::Aborted("ann".to_owned()))?;
        self.act(&mut run, effect)?;
        self.go_on(run, Event::Aborted("ann".to_owned()))
    }

    fn faults(&mut self, run: &Run, effect: &Effect) -> Checked {
        let mut run = run.clone();
        run.faults -= 1;
        let mut acted = run.clone();
        self.act(&mut acted, effect)?;
        for run in [run.clone(), acted] {
            let mut failed = run.clone();
            failed.tale.failed = true;
            self.go_on(failed, Event::Failed(effect.clone(), reason(Why::Target)))?;
            self.go_on(run, Event::Resumed("bob".to_owned()))?;
        }
        self.losses(&run, effect)
    }

    /// Replicas die while nobody looks, or while a gate is asked.
    fn losses(&mut self, run: &Run, effect: &Effect) -> Checked {
        for (slot, ready) in run.ready() {
            for count in [1, ready] {
                let mut run = run.clone();
                run.world.lose(slot, count);
                run.tale.lost = true;
                self.go_on(run.clone(), Event::Resumed("bob".to_owned()))?;
                match (effect, slot) {
                    (Effect::Ask(_), Slot::Candidate) => {
                        let lost = reason(Why::LostReadiness);
                        self.go_on(run, Event::Failed(effect.clone(), lost))?;
                    }
                    (Effect::Ask(_), Slot::Stable) => self.works(&run, effect)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn go_on(&mut self, mut run: Run, event: Event) -> Checked {
        self.fold(&mut run, event.clone())?;
        self.journal.push(event.clone());
        let checked = self.visit(run);
        self.journal.pop();
        checked.map_err(|violation| format!("{event:?}\n{violation}"))
    }

    fn fold(&self, run: &mut Run, event: Event) -> Checked {
        let at = Stamp(self.journal.len() as u64);
        let before = run.rollout.clone();
        run.rollout
            .apply_by(&self.rig.rules, at, event.clone())
            .map_err(|error| error.to_string())?;
        (self.rig.twist)(&before, &event, &mut run.rollout);
        Ok(())
    }

    /// What an effect of ours may do to the world.
    fn act(&self, run: &mut Run, effect: &Effect) -> Result<bool, String> {
        let before = run.world.clone();
        let done = run.world.perform(effect);
        let after = &run.world;
        let plan = &self.scenario.plan;
        // A hundredth of a per cent per replica is rounding.
        let broken = [
            (
                "less than the floor",
                after.shortage(plan) > before.shortage(plan) + plan.floor(),
            ),
            ("weight on nobody", is_unready(&before, after)),
            (
                "too many kept",
                after.kept() > before.kept().max(self.scenario.most),
            ),
            (
                "too many alive",
                plan.limit
                    .is_some_and(|limit| after.alive() > before.alive().max(limit)),
            ),
        ];
        match broken.iter().find(|(_, broken)| *broken) {
            Some((what, _)) => Err(format!("{effect:?}: {what}: {before:?} -> {after:?}")),
            None => Ok(done),
        }
    }

    fn end(&mut self, mut run: Run, outcome: &Outcome) -> Checked {
        run.ends_well(outcome)
            .map_err(|what| format!("{what}: {outcome:?} {:?}", run.world))?;
        self.replays(&run.rollout)?;
        if run.faults > 0 {
            run.faults -= 1;
            self.go_on(run, Event::Resumed("bob".to_owned()))?;
        }
        Ok(())
    }

    /// The state is what the journal says, and nothing else.
    fn replays(&self, rollout: &Rollout) -> Checked {
        let events = self.journal.iter().cloned().enumerate();
        let mut again = Rollout::replay([(Stamp(0), self.journal[0].clone())])
            .map_err(|error| error.to_string())?;
        for (at, event) in events.skip(1) {
            let before = again.clone();
            again
                .apply_by(&self.rig.rules, Stamp(at as u64), event.clone())
                .map_err(|error| error.to_string())?;
            (self.rig.twist)(&before, &event, &mut again);
        }
        (again == *rollout)
            .then_some(())
            .ok_or_else(|| "not a fold".to_owned())
    }
}

impl Run {
    fn key(&self) -> Key {
        let rollout = &self.rollout;
        (
            rollout.undoing.clone(),
            rollout.row,
            rollout.reached.map(|_| rollout.opened),
            rollout.live.clone(),
            rollout.failures,
            rollout.outcome.clone(),
            self.world.clone(),
            self.tale,
        )
    }

    fn ready(&self) -> impl Iterator<Item = (Slot, u32)> + use<> {
        let Live {
            stable, candidate, ..
        } = &self.world.0;
        [
            (Slot::Stable, stable.ready),
            (Slot::Candidate, candidate.ready),
        ]
        .into_iter()
        .filter(|(_, ready)| *ready > 0)
    }

    fn ends_well(&self, outcome: &Outcome) -> Checked {
        let Tale {
            aborted,
            refused,
            failed,
            lost,
        } = self.tale;
        let told = failed || lost;
        let plan = self.rollout.plan();
        let whole = match outcome {
            Outcome::Completed if refused || aborted => {
                return Err("completed against a no".to_owned());
            }
            Outcome::Completed => plan.steps.last(),
            Outcome::RolledBack(_) if !(refused || aborted || told) => {
                return Err("undone for nothing".to_owned());
            }
            Outcome::RolledBack(_) => plan.undo.first(),
            Outcome::Stalled(_) if !told => return Err("stalled for nothing".to_owned()),
            Outcome::Stalled(_) => return Ok(()),
        };
        let want = whole.ok_or("no row")?;
        let Live {
            stable,
            candidate,
            weight,
            others,
        } = &self.world.0;
        let served = want.stable + want.candidate == 0
            || (*weight == Some(want.weight) && others.is_empty());
        let kept = (stable.wanted, candidate.wanted) == (want.stable, want.candidate);
        let ready = lost || (stable.ready, candidate.ready) == (want.stable, want.candidate);
        (served && kept && ready)
            .then_some(())
            .ok_or_else(|| "not whole".to_owned())
    }
}

/// Whether a side was given more traffic than before and has nobody ready.
fn is_unready(before: &World, after: &World) -> bool {
    let Some(weight) = after.0.weight else {
        return false;
    };
    let candidate = before.0.weight.is_none_or(|before| weight > before);
    let stable = before.0.weight.is_none_or(|before| weight < before);
    let (none, all) = (crate::spec::Percent::ZERO, crate::spec::Percent::FULL);
    (candidate && weight > none && after.0.candidate.ready == 0)
        || (stable && weight < all && after.0.stable.ready == 0)
}

fn reason(why: Why) -> Reason {
    Reason {
        why,
        says: String::new(),
        evidence: None,
    }
}
