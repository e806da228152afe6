//! Tries every schedule: a depth-first search over (rollout, world, faults left) that visits no
//! state twice.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use super::super::event::{Effect, Event, Live, Next, Outcome, Reason, Slot, Stamp, Why};
use super::super::plan::Step;
use super::super::state::{Phase, Rollout};
use super::super::walk::{RULES, Rule};
use super::mix::Mix;
use super::scenario::Scenario;
use super::world::World;
use crate::spec::Percent;

/// From the state before an event and the event, to the state after it.
pub(super) type Twist = fn(&Rollout, &Event, &mut Rollout);

/// What folds the events: the rollout's rules, or a mutant of them.
pub(super) struct Rig {
    pub(super) rules: Vec<Rule>,
    /// Undoes, after an event, a piece of what it did to the state.
    pub(super) twist: Option<Twist>,
    /// Journals are replayed too, and beliefs are compared with the truth; a mutant has to be
    /// caught by what it does.
    pub(super) is_sound: bool,
}

impl Rig {
    pub(super) fn sound() -> Self {
        Self {
            rules: RULES.to_vec(),
            twist: None,
            is_sound: true,
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
    /// A gate or a person said no.
    no: bool,
    /// An effect was reported as failed, or stable lost replicas.
    told: bool,
    lost_candidate: bool,
    /// The clean-up had begun.
    past: bool,
}

/// Faults left when a state was visited, and whether all that follows it has been.
type Visited = HashMap<u64, (u8, bool), BuildHasherDefault<Mix>>;

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
        visited: Visited::default(),
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
        self.visited.insert(key, (run.faults, false));
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
            (true, Effect::Observe) => Event::Observed(run.world.live.clone()),
            (true, _) => Event::Done(effect.clone()),
            (false, _) => Event::Failed(effect.clone(), reason(Why::NotReady)),
        };
        self.go_on(run, event)
    }

    /// A gate that says no, or a person who says stop: possible everywhere, once.
    fn people(&mut self, run: &Run, effect: &Effect) -> Checked {
        if run.tale.no || run.rollout.phase() != Phase::Forward {
            return Ok(());
        }
        let mut run = run.clone();
        run.tale.no = true;
        if let Effect::Ask(_) = effect {
            self.go_on(
                run.clone(),
                Event::Failed(effect.clone(), reason(Why::Gate)),
            )?;
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
        let worlds = 1 + usize::from(acted.world != run.world);
        for run in [run.clone(), acted].into_iter().take(worlds) {
            let mut failed = run.clone();
            failed.tale.told = true;
            self.go_on(failed, Event::Failed(effect.clone(), reason(Why::Target)))?;
            self.go_on(run, Event::Resumed("bob".to_owned()))?;
        }
        self.losses(&run, effect)
    }

    /// Replicas die while nobody looks, or while a gate is asked.
    fn losses(&mut self, run: &Run, effect: &Effect) -> Checked {
        for (slot, ready) in run.ready() {
            for count in [1, ready].into_iter().take(ready.min(2) as usize) {
                let mut run = run.clone();
                run.world.lose(slot, count);
                run.tale.lose(slot);
                self.go_on(run.clone(), Event::Resumed("bob".to_owned()))?;
                match (effect, slot) {
                    (Effect::Ask(_), Slot::Candidate) => {
                        let lost = reason(Why::LostReadiness);
                        self.go_on(run.clone(), Event::Failed(effect.clone(), lost))?;
                        self.works(&run, effect)?;
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
        let before = self
            .rig
            .twist
            .map(|twist| (twist, run.rollout.clone(), event.clone()));
        run.rollout
            .apply_by(&self.rig.rules, at, event)
            .map_err(|error| error.to_string())?;
        if let Some((twist, before, event)) = before {
            twist(&before, &event, &mut run.rollout);
            run.rollout.settle(&self.rig.rules, at);
        }
        let live = run.rollout.live().filter(|_| self.rig.is_sound);
        if live.is_some_and(|live| !run.world.bears_out(live)) {
            return Err(format!("{live:?} is believed of {:?}", run.world));
        }
        run.tale.past |= run.rollout.phase() == Phase::CleaningUp;
        Ok(())
    }

    /// What an effect of ours may do to the world.
    fn act(&self, run: &mut Run, effect: &Effect) -> Result<bool, String> {
        let before = run.world.clone();
        let done = run.world.perform(effect);
        let after = &run.world;
        let (plan, floor) = (&self.scenario.plan, self.scenario.fewest);
        // A hundredth of a per cent per replica is rounding.
        let broken = [
            (
                "less than the floor",
                after.shortage(floor) > before.shortage(floor) + floor,
            ),
            ("weight on nobody", is_unready(&before, after)),
            ("copies for nobody", is_mirrored_unready(&before, after)),
            (
                "a hold without its copies",
                matches!(effect, Effect::Ask(_)) && before.live.mirror != run.rollout.step().mirror,
            ),
            (
                "copies beside a share",
                after.live.mirror > Percent::ZERO && after.live.weight != Some(Percent::ZERO),
            ),
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
        if self.rig.is_sound && run.faults == self.scenario.faults {
            self.replays(&run.rollout)?;
        }
        if run.faults > 0 {
            run.faults -= 1;
            self.go_on(run, Event::Resumed("bob".to_owned()))?;
        }
        Ok(())
    }

    /// The state is what the journal says, and nothing else.
    fn replays(&self, rollout: &Rollout) -> Checked {
        let events = self.journal.iter().enumerate().map(|(at, event)| {
            let line = serde_json::to_string(event).unwrap();
            (Stamp(at as u64), serde_json::from_str(&line).unwrap())
        });
        match Rollout::replay(events) {
            Ok(again) if again == *rollout => Ok(()),
            Ok(_) => Err("not a fold".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Run {
    /// All that can decide what follows; not the stamps.
    fn key(&self) -> u64 {
        let mut hasher = Mix::default();
        let rollout = &self.rollout;
        rollout
            .undoing
            .as_ref()
            .map(|reason| reason.why)
            .hash(&mut hasher);
        (rollout.row, rollout.opened, rollout.failures).hash(&mut hasher);
        (rollout.reached.is_some(), rollout.asked.is_some()).hash(&mut hasher);
        (&rollout.live, &rollout.outcome).hash(&mut hasher);
        (&self.world, self.tale).hash(&mut hasher);
        hasher.finish()
    }

    fn ready(&self) -> impl Iterator<Item = (Slot, u32)> + use<> {
        let Live {
            stable, candidate, ..
        } = &self.world.live;
        [
            (Slot::Stable, stable.ready),
            (Slot::Candidate, candidate.ready),
        ]
        .into_iter()
        .filter(|(_, ready)| *ready > 0)
    }

    fn ends_well(&self, outcome: &Outcome) -> Checked {
        let plan = self.rollout.plan();
        let whole = match outcome {
            Outcome::Completed => plan.steps.last(),
            Outcome::RolledBack(_) => plan.undo.first(),
            Outcome::Stalled(_) => None,
        };
        let is_whole = whole.is_none_or(|row| self.is_whole(row));
        match self.tale.forbids(outcome) || self.is_needless(outcome) {
            true => Err("nothing that happened leads here".to_owned()),
            false if !is_whole => Err("not whole".to_owned()),
            false => Ok(()),
        }
    }

    /// Lost candidates hold up no undo as long as there is a stable release.
    fn is_needless(&self, outcome: &Outcome) -> bool {
        let undoing = self.rollout.undoing.is_some();
        let stuck = !undoing || self.rollout.plan().undo[0].stable == 0;
        let told = self.tale.told || (self.tale.lost_candidate && stuck);
        matches!(outcome, Outcome::Stalled(_)) && !told
    }

    fn is_whole(&self, want: &Step) -> bool {
        let Live {
            stable,
            candidate,
            weight,
            mirror,
            others,
        } = &self.world.live;
        let is_served = *weight == Some(want.weight) && *mirror == want.mirror && others.is_empty();
        let counts = (want.stable, want.candidate);
        (is_served || counts == (0, 0))
            && (stable.wanted, candidate.wanted) == counts
            && (stable.coming, candidate.coming) == (0, 0)
    }
}

impl Tale {
    fn lose(&mut self, slot: Slot) {
        match slot {
            Slot::Stable => self.told = true,
            Slot::Candidate => self.lost_candidate = true,
        }
    }

    fn forbids(self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Completed => self.no,
            Outcome::RolledBack(_) => self.past || !(self.no || self.told || self.lost_candidate),
            Outcome::Stalled(_) => false,
        }
    }
}

/// Whether a side was given more traffic than before and has nobody ready.
fn is_unready(before: &World, after: &World) -> bool {
    let Some(weight) = after.live.weight else {
        return false;
    };
    let candidate = before.live.weight.is_none_or(|before| weight > before);
    let stable = before.live.weight.is_none_or(|before| weight < before);
    let (none, all) = (Percent::ZERO, Percent::FULL);
    (candidate && weight > none && after.live.candidate.ready == 0)
        || (stable && weight < all && after.live.stable.ready == 0)
}

/// Whether copies were begun that nobody is ready to take.
fn is_mirrored_unready(before: &World, after: &World) -> bool {
    after.live.mirror > before.live.mirror && after.live.candidate.ready == 0
}

fn reason(why: Why) -> Reason {
    Reason::new(why, String::new())
}
