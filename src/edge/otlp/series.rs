//! From what was told in all to what came since it was last told.
//!
//! Most libraries tell all since they started, again and again. What a series begins with that had
//! started before this edge did was counted by the one before it, and is only what the next is
//! compared with. Invariant: nothing is counted twice.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::points::{Counted, Kind, Point};
use crate::edge::api::Calls;

/// Of one replica: attributes that differ with each call would fill the memory.
pub(super) const MOST_SERIES: usize = 1_000;
/// Milliseconds. Libraries tell all that they ever counted each time, so that what is silent for that
/// long belongs to a process that is gone.
const SILENT: u64 = 3_600_000;

/// What the replicas of one edge have told.
#[derive(Debug, Default)]
pub(in crate::edge) struct Series(BTreeMap<(String, u32), Told>);

type Told = HashMap<u64, Last>;

#[derive(Debug)]
struct Last {
    /// When, in milliseconds since the epoch.
    heard: u64,
    counted: Counted,
}

/// There are as many series as may be.
struct Full;

impl Series {
    /// What this adds to the replica's pool, and how many points there was no room for; `since`: when
    /// this edge started, as `now` in milliseconds since the epoch.
    pub(in crate::edge) fn add(
        &mut self,
        (pool, replica): (&str, u32),
        points: Vec<Point>,
        (since, now): (u64, u64),
    ) -> (Calls, u64) {
        let told = self.0.entry((pool.to_owned(), replica)).or_default();
        if told.len() >= MOST_SERIES {
            told.retain(|_, last| last.heard + SILENT > now);
        }
        let (mut calls, mut rejected) = (Calls::default(), 0);
        for point in points {
            match new(told, &point, since, now) {
                Ok(Some(new)) => count(&mut calls, point.kind, new),
                Ok(None) => {}
                Err(Full) => rejected += 1,
            }
        }
        (calls, rejected)
    }

    /// Replicas that are gone tell nothing more.
    pub(in crate::edge) fn keep(&mut self, is_there: impl Fn(&str, u32) -> bool) {
        self.0.retain(|(pool, replica), _| is_there(pool, *replica));
    }
}

fn new(told: &mut Told, point: &Point, since: u64, now: u64) -> Result<Option<Counted>, Full> {
    let counted = point.counted.clone();
    if point.is_delta {
        return Ok(Some(counted));
    }
    let is_full = told.len() >= MOST_SERIES;
    let last = Last {
        heard: now,
        counted: counted.clone(),
    };
    match told.entry(point.series) {
        Entry::Vacant(_) if is_full => Err(Full),
        Entry::Vacant(entry) => {
            entry.insert(last);
            Ok((point.started / 1_000_000 >= since).then_some(counted))
        }
        Entry::Occupied(mut entry) => {
            let new = counted.since(&entry.get().counted);
            // Of an older moment, it is no measure for the next; but who does not say when it started
            // may have started anew.
            if new.is_some() || point.started == 0 {
                entry.insert(last);
            }
            Ok(new)
        }
    }
}

impl Counted {
    /// `None`: it was told of an older moment.
    fn since(&self, before: &Self) -> Option<Self> {
        let count = self.count.checked_sub(before.count)?;
        let left = |(bound, count): (&u64, &u64)| {
            let before = before.buckets.get(bound).copied().unwrap_or(0);
            (*bound, count.saturating_sub(before))
        };
        let buckets = self.buckets.iter().map(left);
        Some(Self {
            count,
            sum: self.sum - before.sum,
            buckets: buckets.filter(|(_, count)| *count > 0).collect(),
        })
    }

    /// How long each took, in microseconds: where one bucket has them all, their mean tells more than
    /// the bucket's bound, which libraries that nobody told better put at five seconds.
    fn times(&self) -> Vec<(u64, u64)> {
        let mean = (self.sum / self.count as f64 * 1e6).max(0.0) as u64;
        match self.buckets.iter().collect::<Vec<_>>().as_slice() {
            [(bound, count)] if **count == self.count => vec![(mean.min(**bound), self.count)],
            all => all
                .iter()
                .map(|(bound, count)| (**bound, **count))
                .collect(),
        }
    }
}

fn count(calls: &mut Calls, kind: Kind, new: Counted) {
    match kind {
        Kind::Model => {
            let mut latency: BTreeMap<u64, u64> = calls.latency.drain(..).collect();
            for (bound, count) in new.times() {
                add(latency.entry(bound).or_insert(0), count);
            }
            calls.latency = latency.into_iter().collect();
            add(&mut calls.model, new.count);
        }
        Kind::Tool { failed } => {
            add(&mut calls.tool, new.count);
            add(&mut calls.tool_errors, if failed { new.count } else { 0 });
        }
        Kind::Tokens => add(&mut calls.tokens, new.sum.max(0.0).round() as u64),
    }
}

/// Whatever a library tells, the sum is at most the largest that there is.
fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}
