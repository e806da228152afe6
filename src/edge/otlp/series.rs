//! From what was told in all to what came since it was last told.
//!
//! Most libraries tell all since they started, again and again. What a series begins with that had
//! started before this edge did was counted by the one before it, and is only what the next is
//! compared with. Invariant: nothing is counted twice.

use std::collections::{BTreeMap, HashMap};

use super::points::{Counted, Kind, Point};
use crate::edge::api::Calls;

/// Of one replica: attributes that differ with each call would fill the memory.
const MOST_SERIES: usize = 1_000;

/// What the replicas of one edge have told.
#[derive(Debug, Default)]
pub(in crate::edge) struct Series(BTreeMap<(String, u32), HashMap<u64, Last>>);

#[derive(Debug)]
struct Last {
    started: u64,
    counted: Counted,
}

impl Series {
    /// What this adds to the replica's pool; `since`: when this edge started, in milliseconds since
    /// the epoch.
    pub(in crate::edge) fn add(
        &mut self,
        pool: &str,
        replica: u32,
        points: Vec<Point>,
        since: u64,
    ) -> Calls {
        let told = self.0.entry((pool.to_owned(), replica)).or_default();
        let mut calls = Calls::default();
        for point in points {
            if let Some(new) = new(told, &point, since) {
                count(&mut calls, point.kind, new);
            }
        }
        calls
    }

    /// Replicas that are gone tell nothing more.
    pub(in crate::edge) fn keep(&mut self, is_there: impl Fn(&str, u32) -> bool) {
        self.0.retain(|(pool, replica), _| is_there(pool, *replica));
    }
}

fn new(told: &mut HashMap<u64, Last>, point: &Point, since: u64) -> Option<Counted> {
    if point.is_delta {
        return Some(point.counted.clone());
    }
    if told.len() >= MOST_SERIES && !told.contains_key(&point.series) {
        return None;
    }
    let last = Last {
        started: point.started,
        counted: point.counted.clone(),
    };
    match told.insert(point.series, last) {
        Some(before) if before.started == point.started => point.counted.since(&before.counted),
        // Its process began anew.
        Some(_) => Some(point.counted.clone()),
        None => (point.started / 1_000_000 >= since).then(|| point.counted.clone()),
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
                *latency.entry(bound).or_insert(0) += count;
            }
            calls.latency = latency.into_iter().collect();
            calls.model += new.count;
        }
        Kind::Tool { failed } => {
            calls.tool += new.count;
            calls.tool_errors += if failed { new.count } else { 0 };
        }
        Kind::Tokens => calls.tokens += new.sum.max(0.0).round() as u64,
    }
}
