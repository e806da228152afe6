//! Rolling: replica by replica, with traffic in proportion.
//!
//! At most `max(old, new) + surge` replicas are kept up and at least `min(old, new) - unavailable`
//! serve. Metric gates are judged in the bake only: a share that lasts for one replica's start
//! shows too few requests. Undo is the same rows backwards.

use super::{Percent, Step, Table, Wish};

pub(super) fn table(wish: &Wish, now: u32) -> Table {
    let mut steps = Rows::new(wish, now).collect::<Vec<_>>();
    let first = steps.iter().take_while(|row| row.candidate == 0).count();
    let stable = first.checked_sub(1).map_or(now, |last| steps[last].stable);
    // Before the first candidate gets traffic, one is tried without.
    steps.splice(first..first, wish.trial(stable, 1));
    let undo = backwards(&steps, now);
    steps.push(wish.clean_up());
    let limit = (wish.rollout.max_surge == 0).then(|| now.max(wish.replicas));
    Table { steps, undo, limit }
}

fn backwards(steps: &[Step], now: u32) -> Vec<Step> {
    let before = Step::new(now, 0, Percent::ZERO);
    let rows = steps
        .iter()
        .map(|row| Step::new(row.stable, row.candidate, row.weight));
    [before].into_iter().chain(rows).take(steps.len()).collect()
}

/// Writes the rows up to the bake, from the counts of the row before.
struct Rows<'a> {
    wish: &'a Wish<'a>,
    stable: u32,
    candidate: u32,
    /// The most that are kept up.
    most: u32,
    /// The fewest that serve.
    fewest: u32,
}

impl<'a> Rows<'a> {
    fn new(wish: &'a Wish, now: u32) -> Self {
        let surge = wish.rollout.max_surge;
        // With neither, nothing could ever move.
        let unavailable = wish.rollout.max_unavailable.max(u32::from(surge == 0));
        Self {
            wish,
            stable: now,
            candidate: 0,
            most: now.max(wish.replicas) + surge,
            fewest: now.min(wish.replicas).saturating_sub(unavailable),
        }
    }

    /// Without surge a row cannot both grow and shrink: the room has to be empty first.
    fn is_tight(&self) -> bool {
        self.wish.rollout.max_surge == 0
    }

    fn grow(&mut self) -> bool {
        let room = self.most - self.stable;
        let grown = room.min(self.wish.replicas);
        std::mem::replace(&mut self.candidate, grown) < grown
    }

    /// Keeps one where it can, so that somebody always serves.
    fn shrink(&mut self) {
        let keep = if self.is_tight() {
            self.stable.saturating_sub(1).min(1)
        } else {
            1
        };
        self.stable = self.fewest.saturating_sub(self.candidate).max(keep);
    }

    fn row(&self) -> Step {
        let all = self.stable + self.candidate;
        Step::new(
            self.stable,
            self.candidate,
            Percent::of(self.candidate, all),
        )
    }
}

impl Iterator for Rows<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.candidate == self.wish.replicas {
            return None;
        }
        let grown = self.grow();
        if self.candidate == self.wish.replicas {
            return Some(self.wish.bake(self.stable));
        }
        if !(self.is_tight() && grown) {
            self.shrink();
        }
        Some(self.row())
    }
}
