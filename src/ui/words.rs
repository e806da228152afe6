//! Numbers, lengths of time and moments as people say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serializer;

use crate::rollout::Stamp;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `220 ms`, `4 s`, `1m 12s`, `2h 5m`, `3d 4h`: from milliseconds, rounded down.
pub(crate) fn duration(millis: u64) -> String {
    match millis {
        0..SECOND => format!("{millis} ms"),
        SECOND..MINUTE => format!("{} s", millis / SECOND),
        MINUTE..HOUR => two(millis, MINUTE, "m", SECOND, "s"),
        HOUR..DAY => two(millis, HOUR, "h", MINUTE, "m"),
        DAY.. => two(millis, DAY, "d", HOUR, "h"),
    }
}

/// A length of time on a clock that ticks once a second.
pub(crate) fn ticking(millis: u64) -> String {
    match millis {
        0..MINUTE => format!("{} s", millis / SECOND),
        _ => duration(millis),
    }
}

fn two(millis: u64, large: u64, large_name: &str, small: u64, small_name: &str) -> String {
    match millis % large / small {
        0 => format!("{}{large_name}", millis / large),
        rest => format!("{}{large_name} {rest}{small_name}", millis / large),
    }
}

/// `now`, `40 s ago`, `12 min ago`, `2 h ago`, `3 d ago`.
fn ago(millis: u64) -> String {
    match millis {
        0..SECOND => "now".to_owned(),
        SECOND..MINUTE => format!("{} s ago", millis / SECOND),
        MINUTE..HOUR => format!("{} min ago", millis / MINUTE),
        HOUR..DAY => format!("{} h ago", millis / HOUR),
        DAY.. => format!("{} d ago", millis / DAY),
    }
}

/// `1,204`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 replica`, `3 replicas`.
pub(crate) fn some(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", count(number)),
    }
}

/// `640 B`, `3.0 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    let mut value = number as f64;
    let mut units = ["KiB", "MiB", "GiB"].into_iter();
    let mut unit = "B";
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1024.0, next);
    }
    match unit {
        "B" => format!("{number} B"),
        _ => format!("{value:.1} {unit}"),
    }
}

/// `0.1 %`, from a share of 1.
pub(crate) fn rate(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `220 ms`, `1.25 s`, from seconds.
pub(crate) fn latency(seconds: f64) -> String {
    match seconds < 1.0 {
        true => format!("{:.0} ms", seconds * 1000.0),
        false => format!("{seconds:.2} s"),
    }
}

/// A moment for programs: `2026-10-06T12:03:44.250Z`.
pub(crate) fn rfc3339(at: Stamp) -> String {
    format!("{:.3}", timestamp(at))
}

pub(super) fn stamp<S: Serializer>(at: &Stamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

pub(super) fn maybe_stamp<S: Serializer>(
    at: &Option<Stamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => stamp(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// The reader's present, and the time zone that moments are told in.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(crate) now: Stamp,
    pub(crate) zone: TimeZone,
}

impl Clock {
    /// `12:03:44`.
    pub(super) fn time(&self, at: Stamp) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// `2026-10-06 12:03`.
    pub(super) fn date(&self, at: Stamp) -> String {
        self.format(at, "%Y-%m-%d %H:%M")
    }

    /// `12:03 (2 h ago)`, with the date when it was not within the last day.
    pub(super) fn since(&self, at: Stamp) -> String {
        let past = self.now.0.saturating_sub(at.0);
        let moment = match past < DAY {
            true => self.format(at, "%H:%M"),
            false => self.date(at),
        };
        format!("{moment} ({})", ago(past))
    }

    fn format(&self, at: Stamp, how: &str) -> String {
        timestamp(at)
            .to_zoned(self.zone.clone())
            .strftime(how)
            .to_string()
    }
}

/// A stamp beyond the year 9999 is shown as its end.
fn timestamp(at: Stamp) -> Timestamp {
    i64::try_from(at.0)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let cases = [
            (0, "0 ms"),
            (220, "220 ms"),
            (4_900, "4 s"),
            (60_000, "1m"),
            (72_000, "1m 12s"),
            (2 * HOUR + 5 * MINUTE + 9, "2h 5m"),
            (3 * DAY + 4 * HOUR, "3d 4h"),
        ];
        for (millis, words) in cases {
            assert_eq!(duration(millis), words);
        }
        assert_eq!(ticking(220), "0 s");
    }

    #[test]
    fn counts() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_204, "1,204"),
            (1_000_000, "1,000,000"),
        ];
        for (number, words) in cases {
            assert_eq!(count(number), words);
        }
        assert_eq!(
            [some(1, "replica"), some(3, "replica")],
            ["1 replica", "3 replicas"]
        );
    }

    #[test]
    fn moments() {
        let at = Stamp(1_791_288_224_250);
        let clock = |later| Clock {
            now: Stamp(at.0 + later),
            zone: TimeZone::fixed(jiff::tz::offset(2)),
        };
        let cases = [
            (0, "14:03 (now)"),
            (40 * SECOND, "14:03 (40 s ago)"),
            (12 * MINUTE, "14:03 (12 min ago)"),
            (2 * HOUR, "14:03 (2 h ago)"),
            (3 * DAY, "2026-10-06 14:03 (3 d ago)"),
        ];
        for (later, words) in cases {
            assert_eq!(clock(later).since(at), words);
        }
        assert_eq!(clock(0).time(at), "14:03:44");
        assert_eq!(rfc3339(at), "2026-10-06T12:03:44.250Z");
        assert_eq!(rfc3339(Stamp(u64::MAX)), "9999-12-30T22:00:00.999Z");
    }
}
