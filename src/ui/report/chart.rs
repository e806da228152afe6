//! Curves as coordinates: what the page's template draws.

use serde::Serialize;

use crate::rollout::Stamp;
use crate::ui::words;

/// Of the whole picture, and of what is drawn in inside it.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 748.0;
const TOP: f64 = 18.0;

/// Seconds between two marks of a time axis.
const STEPS: [u64; 19] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 604_800,
];

#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// What it shows, for those who cannot see it.
    pub(super) label: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    pub(super) bands: Vec<Band>,
    pub(super) curves: Vec<Curve>,
    pub(super) bounds: Vec<Mark>,
    pub(super) dots: Vec<Dot>,
    pub(super) columns: Vec<Mark>,
    across: Vec<Mark>,
    up: Vec<Mark>,
}

/// A stretch of time.
#[derive(Debug, Serialize)]
pub(super) struct Band {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Curve {
    pub(super) class: &'static str,
    pub(super) path: String,
}

/// A place on an axis.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) text: String,
    pub(super) class: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// Values from `from` to `to`, over the picture's height or width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    begin: f64,
    end: f64,
}

impl Axis {
    pub(super) fn up(height: f64, from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            begin: bottom(height),
            end: TOP,
        }
    }

    pub(super) fn across(from: f64, to: f64) -> Self {
        Self {
            from,
            to,
            begin: LEFT,
            end: RIGHT,
        }
    }

    /// What lies outside is drawn at the edge.
    pub(super) fn at(&self, value: f64) -> f64 {
        let part = (value - self.from) / (self.to - self.from);
        let place = self.begin + part.clamp(0.0, 1.0) * (self.end - self.begin);
        (place * 10.0).round() / 10.0
    }

    pub(super) fn mark(&self, value: f64, text: String) -> Mark {
        Mark {
            at: self.at(value),
            text,
            class: "",
        }
    }

    /// Round values with about as many marks as fit.
    pub(super) fn marks(&self, show: impl Fn(f64) -> String) -> Vec<Mark> {
        let step = round_step((self.to - self.from) / 4.0);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        let values = (first..=last).map(|index| index as f64 * step);
        values.map(|value| self.mark(value, show(value))).collect()
    }
}

fn bottom(height: f64) -> f64 {
    height - 26.0
}

/// 1, 2 or 5 times a power of ten, at least this.
pub(super) fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter();
    let step = times
        .map(|times| times * power)
        .find(|step| *step >= least * 0.999);
    step.unwrap_or(10.0 * power)
}

/// From one moment to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    begin: Stamp,
    axis: Axis,
}

impl Times {
    pub(super) fn new(begin: Stamp, end: Stamp) -> Self {
        let millis = end.0.saturating_sub(begin.0).max(1_000) as f64;
        Self {
            begin,
            axis: Axis::across(0.0, millis),
        }
    }

    pub(super) fn at(&self, stamp: Stamp) -> f64 {
        self.axis.at(stamp.0.saturating_sub(self.begin.0) as f64)
    }

    /// Since it began.
    fn marks(&self) -> Vec<Mark> {
        let seconds = self.axis.to / 1e3;
        let fits = |step: &&u64| seconds / **step as f64 <= 7.0;
        let step = STEPS.iter().find(fits).unwrap_or(&STEPS[STEPS.len() - 1]);
        let all = (0..)
            .map(|index| index * step)
            .take_while(|at| *at as f64 <= seconds);
        let mark = |at: u64| self.axis.mark(at as f64 * 1e3, words::ticking(at * 1_000));
        all.map(mark).collect()
    }

    pub(super) fn chart(&self, label: String, height: f64, up: Vec<Mark>) -> Chart {
        Chart::new(label, height, self.marks(), up)
    }
}

impl Chart {
    pub(super) fn new(label: String, height: f64, across: Vec<Mark>, up: Vec<Mark>) -> Self {
        Self {
            label,
            width: WIDTH,
            height,
            left: LEFT,
            right: RIGHT,
            top: TOP,
            bottom: bottom(height),
            bands: Vec::new(),
            curves: Vec::new(),
            bounds: Vec::new(),
            dots: Vec::new(),
            columns: Vec::new(),
            across,
            up,
        }
    }
}

/// From point to point; a point that is missing breaks it.
pub(super) fn line(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut goes_on = false;
    for point in points {
        if let Some((x, y)) = point {
            let verb = if goes_on { 'L' } else { 'M' };
            path += &format!("{verb}{x} {y}");
        }
        goes_on = point.is_some();
    }
    path
}

/// The same, level until the next point, and filled down to the bottom of the picture.
pub(super) fn steps(points: &[(f64, f64)], end: f64, height: f64) -> String {
    let Some((first, _)) = points.first() else {
        return String::new();
    };
    let mut path = format!("M{first} {}", bottom(height));
    let ends = points.iter().skip(1).map(|(x, _)| *x).chain([end]);
    for ((x, y), next) in points.iter().zip(ends) {
        path += &format!("L{x} {y}L{next} {y}");
    }
    path + &format!("L{end} {}Z", bottom(height))
}
