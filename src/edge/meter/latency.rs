//! A histogram of times: sixteen buckets to each doubling, so bounds are 6.25 % apart or less.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets to a doubling, as a power of two.
const FINE: u32 = 4;
const PER_DOUBLING: usize = 1 << FINE;
/// 2^37 microseconds are 38 hours; what takes longer counts as that.
const DOUBLINGS: usize = 34;
const BUCKETS: usize = DOUBLINGS * PER_DOUBLING;

#[derive(Debug)]
pub(crate) struct Latency([AtomicU64; BUCKETS]);

impl Default for Latency {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Latency {
    pub(crate) fn restored(buckets: &[(u64, u64)]) -> Self {
        let latency = Self::default();
        for &(bound, count) in buckets {
            latency.add(bound, count);
        }
        latency
    }

    pub(crate) fn record(&self, micros: u64) {
        self.0[bucket_of(micros)].fetch_add(1, Relaxed);
    }

    /// So many that took at most `bound` microseconds.
    pub(crate) fn add(&self, bound: u64, count: u64) {
        super::add(&self.0[bucket_of(bound.saturating_sub(1))], count);
    }

    /// Takes back what was recorded before, if it was: a successor may have been told of a reply that
    /// it was not told the count of.
    pub(crate) fn forget(&self, micros: u64) {
        let less = |count: u64| count.checked_sub(1);
        let _ = self.0[bucket_of(micros)].fetch_update(Relaxed, Relaxed, less);
    }

    /// (upper bound in microseconds, count), rising, without empty ones.
    pub(crate) fn buckets(&self) -> Vec<(u64, u64)> {
        let counts = self.0.iter().map(|count| count.load(Relaxed));
        counts
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .map(|(bucket, count)| (bound_of(bucket), count))
            .collect()
    }
}

/// Below sixteen microseconds each has its own bucket.
fn bucket_of(micros: u64) -> usize {
    if micros < PER_DOUBLING as u64 {
        return micros as usize;
    }
    let coarse = micros.ilog2() - FINE;
    let fine = (micros >> coarse) as usize - PER_DOUBLING;
    ((coarse as usize + 1) * PER_DOUBLING + fine).min(BUCKETS - 1)
}

/// The first time that is too long for `bucket`.
fn bound_of(bucket: usize) -> u64 {
    if bucket < PER_DOUBLING {
        return bucket as u64 + 1;
    }
    let coarse = bucket / PER_DOUBLING - 1;
    let fine = bucket % PER_DOUBLING;
    ((PER_DOUBLING + fine + 1) as u64) << coarse
}

#[cfg(test)]
mod tests;
