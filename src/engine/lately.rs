//! What was counted lately: counters only grow, so a look that is a window old, taken from the
//! one now, leaves what came since.

use std::collections::{BTreeMap, VecDeque};

use crate::analysis::Measures;
use crate::rollout::Stamp;
use crate::spec::Period;

/// Looks kept of each window; what is judged is at most so much of it longer.
const KEPT: u64 = 20;

type Look = (Stamp, [Measures; 2]);

/// Of the candidate and the stable release, by the length of the window.
#[derive(Default)]
pub(super) struct Lately(BTreeMap<Period, VecDeque<Look>>);

impl Lately {
    pub(super) fn of(windows: impl Iterator<Item = Period>) -> Self {
        Self(windows.map(|window| (window, VecDeque::new())).collect())
    }

    pub(super) fn take(&mut self, now: Stamp, seen: [&Measures; 2]) {
        for (window, looks) in &mut self.0 {
            let of_this = |look: &Look| look.1[0].since == seen[0].since;
            looks.retain(of_this);
            let apart = window.as_millis() / KEPT;
            let is_due = looks.back().is_none_or(|(at, _)| now.0 >= at.0 + apart);
            if is_due {
                looks.push_back((now, seen.map(Clone::clone)));
            }
            // One that is as old as the window is needed, and none before it.
            let old = |look: Option<&Look>| {
                look.is_some_and(|(at, _)| at.0 + window.as_millis() <= now.0)
            };
            while old(looks.get(1)) {
                looks.pop_front();
            }
        }
    }

    /// Since the weight changed where that is no longer ago than the window.
    pub(super) fn lately(&self, window: Period, now: Stamp, seen: [&Measures; 2]) -> [Measures; 2] {
        let young = now.0.saturating_sub(seen[0].since) <= window.as_millis();
        let oldest = self.0.get(&window).and_then(|looks| looks.front());
        match oldest.filter(|_| !young) {
            Some((_, before)) => [seen[0].since(&before[0]), seen[1].since(&before[1])],
            None => seen.map(Clone::clone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(requests: u64) -> Measures {
        Measures {
            since: 1_000,
            requests,
            ..Measures::default()
        }
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let window = Period::secs(20);
        let mut looks = Lately::of([window].into_iter());
        let none = counted(0);
        let mut lately = Vec::new();
        for second in 0..100 {
            let (now, seen) = (Stamp(1_000 + second * 1_000), counted(second * 10));
            looks.take(now, [&seen, &none]);
            lately.push(looks.lately(window, now, [&seen, &none])[0].requests);
        }
        assert_eq!(lately[..21], (0..21).map(|at| at * 10).collect::<Vec<_>>());
        assert!(lately[21..].iter().all(|count| (200..=210).contains(count)));
        assert!(looks.0[&window].len() <= KEPT as usize + 2);
    }

    #[test]
    fn after_a_restart_what_was_not_looked_at_does_not_count() {
        let window = Period::secs(20);
        let mut looks = Lately::of([window].into_iter());
        let (now, seen) = (Stamp(900_000), counted(500));
        looks.take(now, [&seen, &seen]);
        assert_eq!(looks.lately(window, now, [&seen, &seen])[0].requests, 0);
    }
}
