//! What each conversation used by a set time after it began, in the order in which all began.
//!
//! Everyone has the same time, whatever their release does with it: else a release that is quick
//! would seem dear, because what it uses is known sooner. Bounded: beyond that new ones are not
//! entered, and the oldest that nobody has read are dropped, whatever they used.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::edge::api::{Spent, Unit, Used};
use crate::edge::usage::Usage;

const MOST_OPEN: usize = 1 << 18;
const MOST_SETTLED: usize = 1 << 16;
/// In one answer.
const TOLD: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Milliseconds; `None`: nobody asks.
    settle: Option<u64>,
    /// Milliseconds since the epoch: when the shares last changed.
    epoch: u64,
    open: VecDeque<Account>,
    /// The number of the first open one.
    first: u64,
    settled: VecDeque<(Arc<str>, Used)>,
    /// The place after the last settled one.
    next: u64,
}

#[derive(Debug)]
struct Account {
    due: u64,
    pool: Arc<str>,
    used: Used,
}

impl Ledger {
    /// Other shares: what began before counts no more.
    pub(super) fn begin(&mut self, epoch: u64) {
        let first = self.first + self.open.len() as u64;
        *self = Self {
            settle: self.settle,
            epoch: epoch.max(self.epoch + 1),
            first,
            ..Self::default()
        };
    }

    pub(super) fn follow(&mut self, settle: Option<u64>) {
        self.settle = settle;
    }

    /// A conversation begins in this pool; the answer is its place.
    pub(super) fn open(&mut self, pool: &Arc<str>, now: u64) -> Option<u64> {
        let due = now + self.settle?;
        if self.open.len() >= MOST_OPEN {
            return None;
        }
        self.open.push_back(Account {
            due,
            pool: Arc::clone(pool),
            used: Used::default(),
        });
        Some(self.first + self.open.len() as u64 - 1)
    }

    /// Nothing if it has settled.
    pub(super) fn enter(&mut self, account: u64, usage: Usage) {
        let at = account.checked_sub(self.first);
        let account = at.and_then(|at| self.open.get_mut(usize::try_from(at).ok()?));
        if let Some(Account { used, .. }) = account {
            add(&mut used.tokens, usage.tokens);
            add(&mut used.cost_micros, usage.cost_micros);
            add(&mut used.tool_calls, usage.tool_calls);
            add(&mut used.steps, usage.steps);
        }
    }

    pub(super) fn settle(&mut self, now: u64) {
        while self.open.front().is_some_and(|account| account.due <= now) {
            if let Some(account) = self.open.pop_front() {
                self.first += 1;
                self.settled.push_back((account.pool, account.used));
                self.next += 1;
            }
        }
        let extra = self.settled.len().saturating_sub(MOST_SETTLED);
        self.settled.drain(..extra);
    }

    /// From `place` of this epoch on; all of it to whoever asks for another.
    pub(super) fn told(&self, epoch: u64, place: u64) -> Spent {
        let oldest = self.next - self.settled.len() as u64;
        let place = if epoch == self.epoch { place } else { 0 };
        let from = place.clamp(oldest, self.next);
        let units = self.settled.iter().skip((from - oldest) as usize);
        let units: Vec<Unit> = units.take(TOLD).map(unit).collect();
        Spent {
            epoch: self.epoch,
            next: from + units.len() as u64,
            units,
        }
    }
}

fn unit((pool, used): &(Arc<str>, Used)) -> Unit {
    Unit {
        pool: pool.to_string(),
        used: *used,
    }
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(tokens: u64) -> Usage {
        Usage {
            tokens: Some(tokens),
            ..Usage::default()
        }
    }

    fn told(ledger: &Ledger, place: u64) -> Vec<Option<u64>> {
        let units = ledger.told(ledger.epoch, place).units;
        units.into_iter().map(|unit| unit.used.tokens).collect()
    }

    #[test]
    fn each_settles_at_its_own_time_and_in_the_order_of_beginning() {
        let mut ledger = Ledger::default();
        ledger.follow(Some(100));
        ledger.begin(5);
        let pool = Arc::from("a");
        let first = ledger.open(&pool, 10).unwrap();
        let second = ledger.open(&pool, 20).unwrap();
        ledger.enter(second, tokens(7));
        ledger.enter(first, tokens(3));
        ledger.enter(first, tokens(4));
        ledger.settle(109);
        assert!(told(&ledger, 0).is_empty());
        ledger.settle(110);
        ledger.enter(first, tokens(1_000));
        ledger.settle(120);
        assert_eq!(told(&ledger, 0), [Some(7), Some(7)]);
        assert_eq!(told(&ledger, 1), [Some(7)]);
        assert_eq!(ledger.told(4, 2).units.len(), 2, "of another epoch");
        let third = ledger.open(&pool, 200).unwrap();
        ledger.begin(201);
        ledger.enter(third, tokens(9));
        ledger.settle(10_000);
        assert!(told(&ledger, 0).is_empty(), "it began before");
    }

    #[test]
    fn nobody_asks_and_nothing_is_kept() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.open(&Arc::from("a"), 10), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut ledger = Ledger::default();
        ledger.follow(Some(0));
        let pool = Arc::from("a");
        for now in 0..(MOST_SETTLED as u64 + 10) {
            ledger.open(&pool, now);
            ledger.settle(now);
        }
        assert_eq!(ledger.settled.len(), MOST_SETTLED);
        let told = ledger.told(ledger.epoch, 0);
        assert_eq!((told.units.len(), told.next), (TOLD, 10 + TOLD as u64));
        assert_eq!(ledger.told(ledger.epoch, ledger.next).units, []);
    }
}
