//! How many replicas the work wants: up at once, down slowly, never beyond the bounds.
//!
//! Pure: the moment is handed in, and what has to be known of earlier looks is written down by who
//! calls, so that one look an hour from cron decides as a process that looks all the time.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::clock;
use crate::spec::{Period, Scale, Window};

/// Figures of a source are sums of others, and a hair above what one replica may have is no more.
const HAIR: f64 = 1e-9;

/// What one source said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Work {
    pub(crate) name: String,
    pub(crate) amount: f64,
    /// What of it adds another replica.
    pub(crate) each: f64,
}

/// All that a decision rests on.
#[derive(Clone, Debug)]
pub(crate) struct Moment<'a> {
    /// Milliseconds since the Unix epoch.
    pub(crate) now: u64,
    /// The same on the agent's clock.
    pub(crate) clock: DateTime,
    /// Replicas that are kept up.
    pub(crate) live: u32,
    /// When the last rollout ended: milliseconds since the Unix epoch.
    pub(crate) changed: Option<u64>,
    /// What the look before left.
    pub(crate) less: Option<Less>,
    pub(crate) work: &'a [Work],
}

/// Since when fewer replicas would do than there are, and how many at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Less {
    /// Milliseconds since the Unix epoch.
    pub(crate) since: u64,
    pub(crate) most: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    Up,
    Down,
    Keep,
    /// Another number is wanted, and not yet.
    Wait,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) turn: Turn,
    /// What the work wants by itself.
    pub(crate) wanted: u32,
    /// How many there are to be.
    pub(crate) replicas: u32,
    /// For the next look.
    pub(crate) less: Option<Less>,
    /// What the sources said.
    pub(crate) because: String,
    /// What follows from it, in a few words.
    pub(crate) says: String,
}

pub(crate) fn decide(scale: &Scale, moment: &Moment) -> Decision {
    let need = Need::of(scale, moment);
    let live = moment.live;
    let (turn, replicas, less, says) = match live.cmp(&need.wanted(live)) {
        _ if live > scale.max => changed(Turn::Down, scale.max, live),
        Ordering::Equal => (Turn::Keep, live, None, stays(live)),
        Ordering::Less => up(scale, moment, &need),
        Ordering::Greater => down(scale, moment, &need),
    };
    Decision {
        turn,
        wanted: need.wanted(live),
        replicas,
        less,
        because: need.because,
        says,
    }
}

fn stays(live: u32) -> String {
    match live {
        1 => "1 replica stays".to_owned(),
        _ => format!("{live} replicas stay"),
    }
}

type Said = (Turn, u32, Option<Less>, String);

fn changed(turn: Turn, replicas: u32, live: u32) -> Said {
    (turn, replicas, None, format!("{live} → {}", some(replicas)))
}

fn up(scale: &Scale, moment: &Moment, need: &Need) -> Said {
    let live = moment.live;
    match cooling(scale, moment) {
        Some(left) if live >= need.floor => {
            let says = format!("{live} → {} in {left} (scale.cooldown)", some(need.up));
            (Turn::Wait, live, None, says)
        }
        _ => changed(Turn::Up, need.up, live),
    }
}

/// Once less has lasted, to the most that was wanted in that time.
fn down(scale: &Scale, moment: &Moment, need: &Need) -> Said {
    let live = moment.live;
    let before = moment.less.filter(|less| less.most < live);
    let less = Less {
        since: before.map_or(moment.now, |less| less.since.min(moment.now)),
        most: before.map_or(need.down, |less| less.most.max(need.down)),
    };
    let lasts = left(less.since, scale.down_after, moment.now);
    let waits = match (lasts, cooling(scale, moment)) {
        (Some(left), _) => Some(format!("{left} (scale.down_after)")),
        (None, Some(left)) => Some(format!("{left} (scale.cooldown)")),
        (None, None) => None,
    };
    match waits {
        Some(left) => {
            let says = format!("{live} → {} in {left}", some(less.most));
            (Turn::Wait, live, Some(less), says)
        }
        None => changed(Turn::Down, less.most, live),
    }
}

fn cooling(scale: &Scale, moment: &Moment) -> Option<Period> {
    left(moment.changed?, scale.cooldown, moment.now)
}

/// Of a time that began then, rounded up to seconds.
fn left(since: u64, whole: Period, now: u64) -> Option<Period> {
    let end = since.saturating_add(whole.as_millis());
    match end.saturating_sub(now) {
        0 => None,
        left => Some(Period::secs(left.div_ceil(1000)).min(whole)),
    }
}

/// What the work and the clock ask for, within the bounds.
struct Need {
    /// More than live: so many are added to.
    up: u32,
    /// Fewer than live: so many would do with room to spare. Never below `up`.
    down: u32,
    /// Fewer there are not, whatever was changed lately.
    floor: u32,
    because: String,
}

impl Need {
    fn of(scale: &Scale, moment: &Moment) -> Self {
        let floor = floor(scale, moment);
        let count = |share: f64| {
            let counts = moment.work.iter().map(|work| count(work, share));
            counts.max().unwrap_or(0).clamp(floor, scale.max)
        };
        Self {
            up: count(1.0),
            down: count(f64::from(scale.down_at) / 100.0),
            floor,
            because: because(scale, moment),
        }
    }

    fn wanted(&self, live: u32) -> u32 {
        match live {
            _ if live < self.up => self.up,
            _ if live > self.down => self.down,
            _ => live,
        }
    }
}

/// Beyond any `max` where it is too large a number.
fn count(work: &Work, share: f64) -> u32 {
    (work.amount / (work.each * share) - HAIR).ceil() as u32
}

/// Outside of its rest an agent has `min` replicas, in a window the window's, and none only where
/// nothing waits and no window asks for one.
fn floor(scale: &Scale, moment: &Moment) -> u32 {
    let inside = |window: &&Window| clock::is_inside(window, moment.clock);
    let rest = scale.rest();
    let rests = rest.filter(inside);
    let windows = scale.schedule.iter().filter(inside);
    let windows = windows.map(|window| window.replicas);
    let most = windows.filter(|replicas| *replicas >= scale.min).max();
    let base = rests.map_or(scale.min, |rest| rest.replicas);
    let works = moment.work.iter().any(|work| work.amount > 0.0);
    let is_called = most.is_some() || rest.is_some() && rests.is_none();
    match works || is_called || !scale.idle_to_zero {
        true => base.max(most.unwrap_or(0)).max(u32::from(works)),
        false => 0,
    }
}

fn because(scale: &Scale, moment: &Moment) -> String {
    let work = moment.work.iter().map(|work| {
        let Work { name, amount, each } = work;
        format!("{name} {}, {} for each", figure(*amount), figure(*each))
    });
    let windows = scale.schedule.iter();
    let windows = windows.filter(|window| clock::is_inside(window, moment.clock));
    let windows = windows.map(|window| format!("{} until {}", some(window.replicas), window.to));
    let all: Vec<String> = work.chain(windows).collect();
    match all.is_empty() {
        true => "no window".to_owned(),
        false => all.join("; "),
    }
}

/// With no more digits than say something.
fn figure(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{rounded}")
}

fn some(replicas: u32) -> String {
    match replicas {
        1 => "1 replica".to_owned(),
        _ => format!("{replicas} replicas"),
    }
}

#[cfg(test)]
mod tests;
