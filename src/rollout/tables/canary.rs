use super::{Gate, Percent, Period, Step, Table, Wish};
use crate::spec::RolloutStep;

/// As many candidates as their share needs, beside all of stable.
pub(super) fn table(wish: &Wish, now: u32) -> Table {
    let mut rows = Rows::new(wish, now);
    rows.walk();
    Table::whole(rows.finish(), now)
}

/// The rows from the first share on, for a candidate that was tried before.
pub(super) fn steps(wish: &Wish, now: u32) -> Vec<Step> {
    let mut rows = Rows::new(wish, now);
    rows.rows[0].gates.clear();
    rows.walk();
    rows.finish()
}

struct Rows<'a> {
    wish: &'a Wish<'a>,
    stable: u32,
    rows: Vec<Step>,
}

impl<'a> Rows<'a> {
    /// Begins with a row without traffic, which has as many candidates as the first weight needs.
    fn new(wish: &'a Wish, stable: u32) -> Self {
        let first = wish.rollout.steps.iter().find_map(|step| match step {
            RolloutStep::Weight { weight, .. } => Some(*weight),
            RolloutStep::Approve { .. } => None,
        });
        let candidates = candidates(wish, first.unwrap_or(Percent::FULL));
        let trial = Step {
            gates: wish.first_gates(),
            ..Step::new(stable, candidates, Percent::ZERO)
        };
        let rows = vec![trial];
        Self { wish, stable, rows }
    }

    fn walk(&mut self) {
        for step in &self.wish.rollout.steps {
            match step {
                RolloutStep::Weight { weight, hold } => self.weight(*weight, *hold),
                RolloutStep::Approve { approve } => self.approve(approve),
            }
        }
    }

    fn weight(&mut self, weight: Percent, hold: Period) {
        let holds = match weight {
            Percent::FULL => self.wish.holds(&[hold, self.wish.rollout.bake]),
            _ => self.wish.holds(&[hold]),
        };
        self.rows.push(Step {
            gates: holds,
            ..Step::new(self.stable, candidates(self.wish, weight), weight)
        });
    }

    fn approve(&mut self, what: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.gates.push(Gate::Approve(what.to_owned()));
        }
    }

    fn finish(mut self) -> Vec<Step> {
        if self
            .rows
            .last()
            .is_some_and(|row| row.weight < Percent::FULL)
        {
            self.weight(Percent::FULL, Period::default());
        }
        if self.rows.first().is_some_and(|row| row.gates.is_empty()) {
            self.rows.remove(0);
        }
        self.rows.push(self.wish.clean_up());
        self.rows
    }
}

pub(super) fn candidates(wish: &Wish, weight: Percent) -> u32 {
    weight.ceil_of(wish.replicas).max(1)
}
