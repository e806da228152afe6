//! The last so many minutes of counts that only grow.

use std::collections::VecDeque;

use super::Measures;

/// Looks that are kept: the window is exact to this part of its length.
const PARTS: u64 = 30;

/// Invariant: holds at most some `PARTS` looks, whatever the time.
pub(crate) struct Sliding {
    /// In milliseconds.
    length: u64,
    looks: VecDeque<(u64, Measures)>,
}

impl Sliding {
    pub(crate) fn new(length: u64) -> Self {
        Self {
            length,
            looks: VecDeque::new(),
        }
    }

    /// What was counted within the window, from all that was ever counted. The first look is where it
    /// begins, and so is one on counts that began anew.
    pub(crate) fn see(&mut self, now: u64, total: &Measures) -> Measures {
        let is_new = |(_, last): &(u64, Measures)| total.minus(last).is_none();
        if self.looks.back().is_none_or(is_new) {
            self.looks.clear();
        }
        let pause = self.length / PARTS;
        if self.looks.back().is_none_or(|(at, _)| now >= at + pause) {
            self.looks.push_back((now, total.clone()));
        }
        while self
            .looks
            .get(1)
            .is_some_and(|(at, _)| at + self.length <= now)
        {
            self.looks.pop_front();
        }
        let oldest = self.looks.front();
        let within = oldest.and_then(|(at, oldest)| {
            let since = *at;
            Some(Measures {
                since,
                ..total.minus(oldest)?
            })
        });
        within.unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.looks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(requests: u64, errors: u64) -> Measures {
        Measures {
            requests,
            errors,
            latency: vec![(1_000, requests - errors), (2_000, errors)],
            ..Measures::default()
        }
    }

    #[test]
    fn only_the_window_counts() {
        let mut sliding = Sliding::new(60_000);
        let mut seen = Measures::default();
        assert_eq!(sliding.see(0, &total(1_000_000, 500_000)).requests, 0);
        for second in 1..=600_u64 {
            let failed = second.saturating_sub(570);
            seen = sliding.see(second * 1_000, &total(1_000_000 + second, 500_000 + failed));
            assert!(sliding.looks.len() as u64 <= PARTS + 2);
        }
        assert!((60..=62).contains(&seen.requests), "{}", seen.requests);
        assert_eq!(seen.errors, 30);
        assert_eq!(seen.latency(1.0), Some(0.002));
    }

    #[test]
    fn counts_that_began_anew_are_no_negative_ones() {
        let mut sliding = Sliding::new(60_000);
        sliding.see(0, &total(100, 50));
        assert_eq!(sliding.see(1_000, &total(3, 0)).requests, 0);
        assert_eq!(sliding.see(2_000, &total(5, 0)).requests, 2);
    }
}
