//! Whose turn it is: pools take turns in proportion to their shares, evenly spread.
//!
//! The order of one round is laid down when shares change, so that taking a turn is one atomic
//! addition, and every round gives each pool exactly its share.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(super) struct Turns {
    shares: Vec<u16>,
    round: Vec<u16>,
    requests: AtomicUsize,
    conversations: AtomicUsize,
}

/// They take turns apart from each other: requests that come in a rhythm must not decide which
/// pool new conversations go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Requests,
    Conversations,
}

impl Turns {
    /// `shares` by the index of the pool; a pool without a share gets no turn.
    pub(super) fn new(shares: Vec<u16>) -> Self {
        Self {
            round: round(&shares),
            shares,
            ..Self::default()
        }
    }

    /// Goes on where it is if nothing changed.
    pub(super) fn follow(&mut self, shares: Vec<u16>) {
        if self.shares != shares {
            *self = Self::new(shares);
        }
    }

    /// The index of the pool whose turn it is; `None` if no pool has a share.
    pub(super) fn take(&self, of: Of) -> Option<usize> {
        let turn = match of {
            Of::Requests => &self.requests,
            Of::Conversations => &self.conversations,
        };
        let length = self.round.len();
        let at = turn.fetch_add(1, Relaxed).checked_rem(length)?;
        self.round.get(at).map(|pool| usize::from(*pool))
    }
}

/// Smooth weighted round-robin: each turn everyone gains its share, the richest takes the turn
/// and pays for the whole.
fn round(shares: &[u16]) -> Vec<u16> {
    let divisor = shares.iter().copied().fold(0, greatest_divisor).max(1);
    let shares: Vec<i64> = shares.iter().map(|s| i64::from(s / divisor)).collect();
    let whole: i64 = shares.iter().sum();
    let mut riches = vec![0; shares.len()];
    (0..whole)
        .map(|_| next(&mut riches, &shares, whole))
        .collect()
}

fn next(riches: &mut [i64], shares: &[i64], whole: i64) -> u16 {
    let mut richest = 0;
    for pool in 0..shares.len() {
        riches[pool] += shares[pool];
        if riches[pool] > riches[richest] {
            richest = pool;
        }
    }
    riches[richest] -= whole;
    richest as u16
}

fn greatest_divisor(a: u16, b: u16) -> u16 {
    if b == 0 {
        a
    } else {
        greatest_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests;
