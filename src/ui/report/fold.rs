//! The events of a rollout, replayed: where it was when, and what was said of it.

use anyhow::{Result, bail};

use super::{Share, StepFigures, Told};
use crate::rollout::{Effect, Event, Measured, Phase, Rollout, Stamp};
use crate::target::Seen;
use crate::ui::plan::then;
use crate::ui::progress::Teller;
use crate::ui::say;
use crate::ui::say::Moment;

pub(super) struct Fold {
    pub(super) rollout: Rollout,
    pub(super) measured: Vec<(Stamp, Measured)>,
    pub(super) told: Vec<Told>,
    pub(super) traffic: Vec<Share>,
    /// When each row of the plan's steps was headed for and left, as far as it came.
    rows: Vec<(Stamp, Option<Stamp>)>,
}

impl Fold {
    pub(super) fn of(events: &[(Stamp, Event)]) -> Result<Self> {
        let Some((at, Event::Planned(plan))) = events.first() else {
            bail!("the journal of this rollout does not begin with its plan");
        };
        let mut fold = Self {
            rollout: Rollout::begin(*at, (**plan).clone())?,
            measured: Vec::new(),
            told: Vec::new(),
            traffic: Vec::new(),
            rows: vec![(*at, None)],
        };
        let mut teller = Teller::default();
        for (index, (at, event)) in events.iter().enumerate() {
            if index > 0 {
                fold.rollout.apply(*at, event.clone())?;
            }
            fold.believe(*at, event, &mut teller);
        }
        Ok(fold)
    }

    fn believe(&mut self, at: Stamp, event: &Event, teller: &mut Teller) {
        if let Event::Measured(measured) = event {
            self.measured.push((at, (**measured).clone()));
        }
        if let Event::Done(Effect::Route(weight)) = event {
            self.traffic.push(Share {
                at,
                weight: *weight,
            });
        }
        self.move_on(at);
        self.tell(at, event, teller);
    }

    fn tell(&mut self, at: Stamp, event: &Event, teller: &mut Teller) {
        let last = self.measured.last();
        let moment = Moment {
            rollout: &self.rollout,
            seen: &Seen::default(),
            verdicts: last.map_or(&[], |(_, measured)| measured.verdicts.as_slice()),
            at,
        };
        let mut told = teller.event(&moment, event, false);
        if let Event::Finished(outcome) = event {
            told.push(("ended".to_owned(), say::ended(outcome)));
        }
        // That one speaks to whoever pressed the keys; what follows says who aborted.
        let told = told.into_iter().filter(|(about, _)| about != "aborted");
        self.told.extend(told.map(|(about, line)| Told {
            at,
            about,
            says: line.paint(false),
        }));
    }

    /// The fold may pass more than one row at once; after a stall it goes on with the same one.
    fn move_on(&mut self, at: Stamp) {
        let is_undone = matches!(self.rollout.phase(), Phase::Undoing(_));
        let current = match is_undone || self.rollout.outcome().is_some() {
            true => None,
            false => Some(self.rollout.row()),
        };
        while current.is_some_and(|row| self.rows.len() <= row) {
            self.rows.push((at, None));
        }
        for (row, (_, left)) in self.rows.iter_mut().enumerate() {
            match Some(row) == current {
                true => *left = None,
                false => _ = left.get_or_insert(at),
            }
        }
    }

    pub(super) fn steps(&self) -> Vec<StepFigures> {
        let plan = self.rollout.plan();
        let rows = plan.steps.iter().take(say::steps(plan)).enumerate();
        let step = |(index, step): (usize, &crate::rollout::Step)| {
            let (began, left) = match self.rows.get(index) {
                Some((began, left)) => (Some(*began), *left),
                None => (None, None),
            };
            StepFigures {
                step: index + 1,
                stable: step.stable,
                candidate: step.candidate,
                weight: step.weight,
                then: then(plan, index, step).paint(false),
                took_ms: began.zip(left).map(|(began, left)| left.0 - began.0),
                began,
            }
        };
        rows.map(step).collect()
    }
}
