//! How long whatever ends is rested before it is started again, and how its ends are counted. Pure.

use std::time::Duration;

const FIRST_DELAY: Duration = Duration::from_millis(200);
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(30);
const PROVEN: Duration = Duration::from_secs(60);

/// What goes wrong after that is another matter than what went wrong before.
fn is_proven(was_ready_for: Duration) -> bool {
    was_ready_for >= PROVEN
}

/// Starts again in a row, with the one that comes now.
pub(super) fn in_a_row(before: u32, was_ready_for: Duration) -> u32 {
    if is_proven(was_ready_for) {
        1
    } else {
        before + 1
    }
}

/// How long to wait before the next start.
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Backoff(FIRST_DELAY)
    }
}

impl Backoff {
    pub(super) fn after(&mut self, was_ready_for: Duration) -> Duration {
        if is_proven(was_ready_for) {
            *self = Backoff::default();
        }
        let longer = (self.0 * 2).min(LONGEST_DELAY);
        std::mem::replace(&mut self.0, longer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_counted_anew_after_a_good_minute() {
        let seconds = Duration::from_secs;
        assert_eq!((in_a_row(4, seconds(59)), in_a_row(4, seconds(60))), (5, 1));
    }

    #[test]
    fn delays_double_up_to_half_a_minute_and_begin_again_after_a_good_minute() {
        let mut backoff = Backoff::default();
        let mut delay = |ready| backoff.after(Duration::from_secs(ready)).as_millis();
        assert_eq!([delay(0), delay(0), delay(59)], [200, 400, 800]);
        assert_eq!(
            [delay(0), delay(0), delay(0), delay(0), delay(0), delay(0)].map(|ms| ms.min(30_000)),
            [1600, 3200, 6400, 12800, 25600, 30000]
        );
        assert_eq!([delay(0), delay(60), delay(0)], [30_000, 200, 400]);
    }
}
