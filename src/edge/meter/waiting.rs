//! How long those have waited that have begun and were not answered yet, without locks.
//!
//! One that waits is counted in the stretch of time that it began in. What waits for longer than all
//! stretches together is taken for younger than it is.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Milliseconds.
const STRETCH: u64 = 250;
/// Seventeen minutes.
const STRETCHES: usize = 4_096;

#[derive(Debug)]
pub(crate) struct Waiting(Box<[AtomicU32]>);

/// Where one that waits is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Began(usize);

impl Default for Waiting {
    fn default() -> Self {
        Self((0..STRETCHES).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Waiting {
    /// `now` is in milliseconds since the epoch, here and below.
    pub(super) fn begins(&self, now: u64) -> Began {
        let began = Began((now / STRETCH) as usize % STRETCHES);
        self.0[began.0].fetch_add(1, Relaxed);
        began
    }

    pub(super) fn ends(&self, began: Began) {
        self.0[began.0].fetch_sub(1, Relaxed);
    }

    /// (for so many microseconds at least, count), rising.
    pub(super) fn ages(&self, now: u64) -> Vec<(u64, u64)> {
        let this = now / STRETCH;
        let ages = (0..STRETCHES as u64).map(|ago| {
            let at = this.wrapping_sub(ago) as usize % STRETCHES;
            let end = (this + 1).saturating_sub(ago) * STRETCH;
            let count = self.0[at].load(Relaxed);
            (now.saturating_sub(end) * 1_000, count.into())
        });
        ages.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_taken_for_older_than_they_are() {
        let waiting = Waiting::default();
        let began = waiting.begins(10_100);
        waiting.begins(12_000);
        assert_eq!(waiting.ages(12_000), [(0, 1), (1_750_000, 1)]);
        assert_eq!(waiting.ages(70_100), [(57_850_000, 1), (59_850_000, 1)]);
        waiting.ends(began);
        assert_eq!(waiting.ages(70_100), [(57_850_000, 1)]);
        assert!(waiting.ages(12_000 + 1_024_000)[0].0 < 1_000_000);
    }
}
