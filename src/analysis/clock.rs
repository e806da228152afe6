//! Windows of time: when they are open, by the fields of cron.

use jiff::civil::{Date, DateTime};
use jiff::{Span, ToSpan};

use crate::spec::Window;

const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
const DAYS: &str = "sun mon tue wed thu fri sat";

/// The 29th of February may be eight years away, and on a day of the week more.
const FURTHEST: u32 = 366 * 41;

/// A window is open when its next end comes before its next beginning.
pub(crate) fn is_inside(window: &Window, at: DateTime) -> bool {
    let next = |text: &str| Cron::parse(text)?.next(at);
    match (next(&window.from), next(&window.to)) {
        (Some(from), Some(to)) => to < from,
        _ => false,
    }
}

/// Each field as bits.
struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Days of the month and of the week are both given: one of them is enough.
    either: bool,
}

impl Cron {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return None;
        };
        Some(Self {
            minutes: bits(minutes, 0, 59, "")?,
            hours: bits(hours, 0, 23, "")?,
            days: bits(days, 1, 31, "")?,
            months: bits(months, 1, 12, MONTHS)?,
            weekdays: bits(weekdays, 0, 6, DAYS)?,
            either: !days.starts_with('*') && !weekdays.starts_with('*'),
        })
    }

    /// The first minute after this moment.
    fn next(&self, after: DateTime) -> Option<DateTime> {
        let day: Span = 1.day();
        let mut date = after.date();
        for _ in 0..FURTHEST {
            if self.is_on(date) {
                let first = self.times(date).find(|time| *time > after);
                if first.is_some() {
                    return first;
                }
            }
            date = date.checked_add(day).ok()?;
        }
        None
    }

    fn is_on(&self, date: Date) -> bool {
        let is_day = has(self.days, date.day());
        let is_weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let is_right = match self.either {
            true => is_day || is_weekday,
            false => is_day && is_weekday,
        };
        has(self.months, date.month()) && is_right
    }

    fn times(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        hours.flat_map(move |hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.map(move |minute| date.at(hour, minute, 0, 0))
        })
    }
}

fn has(bits: u64, at: i8) -> bool {
    bits >> at & 1 == 1
}

/// `*`, `7`, `1-5`, `mon-fri`, each perhaps with `/2`, with commas between.
fn bits(field: &str, least: u32, most: u32, words: &str) -> Option<u64> {
    let mut items = field
        .split(',')
        .map(|item| item_bits(item, least, most, words));
    items.try_fold(0, |all, item| Some(all | item?))
}

fn item_bits(item: &str, least: u32, most: u32, words: &str) -> Option<u64> {
    let number = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let word = words.split(' ').position(|word| word == lower);
        match word {
            Some(at) => Some(at as u32 + least),
            None => text.parse().ok(),
        }
    };
    let (span, every) = match item.split_once('/') {
        Some((span, every)) => (span, Some(every.parse::<usize>().ok()?)),
        None => (item, None),
    };
    let (from, to) = match span.split_once('-') {
        _ if span == "*" => (least, most),
        Some((from, to)) => (number(from)?, number(to)?),
        // `5/15` goes on to the end of the field.
        None if every.is_some() => (number(span)?, most),
        None => (number(span)?, number(span)?),
    };
    let values = (from..=to.min(63)).step_by(every.unwrap_or(1).max(1));
    Some(values.fold(0, |bits, value| bits | 1 << value))
}

#[cfg(test)]
mod tests;
