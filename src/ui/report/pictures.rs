//! A report's figures over time, and its distributions, as curves.

use std::collections::BTreeMap;

use super::chart::{Axis, Band, Chart, Curve, Dot, Mark, Times, line, round_step, steps};
use super::gates::{GateFigures, Point};
use super::{Report, StepFigures};
use crate::analysis::{Evidence, Finding};
use crate::rollout::Stamp;
use crate::spec::{Metric, Percent};
use crate::ui::words;

const HEIGHT: f64 = 190.0;
const LOW: f64 = 110.0;

/// Buckets to a doubling that a distribution is drawn with: finer ones show chance.
const FINE: f64 = 4.0;

impl Report {
    fn times(&self) -> Times {
        let (begin, end) = self.span();
        Times::new(begin, end)
    }

    pub(super) fn traffic_chart(&self) -> Option<Chart> {
        let times = self.times();
        let (begin, end) = self.span();
        let up = Axis::up(LOW, 0.0, 100.0);
        self.traffic.first()?;
        let share = |weight: Percent| up.at(f64::from(weight.hundredths()) / 100.0);
        let moved = self
            .traffic
            .iter()
            .map(|moved| (times.at(moved.at), share(moved.weight)));
        let points: Vec<_> = [(times.at(begin), up.at(0.0))]
            .into_iter()
            .chain(moved)
            .collect();
        let label = format!("traffic to {} over time", self.past.to);
        let marks = [0.0, 50.0, 100.0].map(|value| up.mark(value, format!("{value:.0} %")));
        let mut chart = times.chart(label, LOW, marks.into());
        chart.curves.push(Curve {
            class: "candidate area",
            path: steps(&points, times.at(end), LOW),
        });
        Some(chart)
    }

    /// A stretch of its own for each step that has a look in it.
    fn bands(&self, times: &Times, points: &[Point]) -> Vec<Band> {
        let (_, end) = self.span();
        let seen = self
            .steps
            .iter()
            .filter(|step| points.iter().any(|point| point.step == step.step));
        let band = |step: &StepFigures| {
            let began = step.began?;
            let left = step.took_ms.map_or(end, |took| Stamp(began.0 + took));
            let (x, until) = (times.at(began), times.at(left));
            Some(Band {
                x,
                width: until - x,
                text: step.weight.to_string(),
            })
        };
        seen.filter_map(band).collect()
    }

    pub(super) fn figures_chart(&self, gate: &GateFigures) -> Option<Chart> {
        let points = &gate.points;
        let values = points.iter().flat_map(|point| [point.figure, point.stable]);
        let bounds = [gate.max, gate.min].into_iter().flatten();
        let most = values
            .chain(bounds.clone().map(Some))
            .flatten()
            .fold(0.0, f64::max);
        points.iter().find(|point| point.figure.is_some())?;
        let up = Axis::up(HEIGHT, 0.0, room_above(most.max(least_shown(gate.metric))));
        let times = self.times();
        let show = |value: f64| gate.metric.show(value);
        let mut chart = times.chart(format!("{} over time", gate.name()), HEIGHT, up.marks(show));
        chart.bands = self.bands(&times, points);
        chart.bounds = bounds.map(|bound| up.mark(bound, show(bound))).collect();
        let of = |value: fn(&Point) -> Option<f64>| {
            line(broken(points, |point| {
                Some((times.at(point.at), up.at(value(point)?)))
            }))
        };
        chart.curves = vec![
            Curve {
                class: "stable",
                path: of(|point| point.stable),
            },
            Curve {
                class: "candidate",
                path: of(|point| point.figure),
            },
        ];
        chart.dots = points
            .iter()
            .filter_map(|point| {
                let figure = point.figure?;
                Some(Dot {
                    x: times.at(point.at),
                    y: up.at(figure),
                    class: dot(point.finding),
                    text: format!("{} at {}", show(figure), point.weight),
                })
            })
            .collect();
        Some(chart)
    }

    /// As parts of what decides: one scale for both questions.
    pub(super) fn evidence_chart(&self, gate: &GateFigures) -> Option<Chart> {
        let points = &gate.points;
        points.iter().find(|point| point.evidence.is_some())?;
        let times = self.times();
        let up = Axis::up(HEIGHT, -0.25, 1.25);
        let show = |part: f64| format!("{:.0} %", part * 100.0);
        let marks = [0.0, 0.5, 1.0].map(|part| up.mark(part, show(part)));
        let mut chart = times.chart(
            format!("evidence of {} over time", gate.name()),
            HEIGHT,
            marks.into(),
        );
        chart.bands = self.bands(&times, points);
        chart.bounds = vec![up.mark(1.0, "decides".to_owned())];
        let of = |part: fn(&Evidence) -> f64| {
            line(broken(points, |point| {
                let part = part(point.evidence.as_ref()?);
                Some((times.at(point.at), up.at(part)))
            }))
        };
        chart.curves = vec![
            Curve {
                class: "harmless",
                path: of(|found| found.harmless / found.passes),
            },
            Curve {
                class: "worse",
                path: of(|found| found.worse / found.fails),
            },
        ];
        Some(chart)
    }
}

fn dot(finding: Finding) -> &'static str {
    match finding {
        Finding::Pass => "good",
        Finding::Fail => "bad",
        Finding::Unclear => "wait",
    }
}

/// A curve is not drawn over the end of a step: there counting began anew.
fn broken<'p>(
    points: &'p [Point],
    place: impl Fn(&'p Point) -> Option<(f64, f64)>,
) -> Vec<Option<(f64, f64)>> {
    let mut places = Vec::new();
    let mut step = 0;
    for point in points {
        if point.step != step {
            places.push(None);
        }
        step = point.step;
        places.push(place(point));
    }
    places
}

/// An axis for nothing but zeros shows so much.
fn least_shown(metric: Metric) -> f64 {
    match metric {
        Metric::ErrorRate => 0.01,
        _ => 0.0,
    }
}

/// A round end of an axis that shows `most` with room above.
fn room_above(most: f64) -> f64 {
    match most > 0.0 {
        true => {
            let step = round_step(most / 4.0);
            (most * 1.15 / step).ceil() * step
        }
        false => 1.0,
    }
}

/// How many replies took how long, as the area under a curve over times that double. `None` where
/// nothing was counted.
pub(super) fn distribution(label: &str, arms: &[(&'static str, &[(u64, u64)])]) -> Option<Chart> {
    let coarse: Vec<_> = arms
        .iter()
        .map(|(class, buckets)| (*class, coarse(buckets)))
        .collect();
    let places = || coarse.iter().flat_map(|(_, parts)| parts.keys().copied());
    let (first, last) = (places().min()?, places().max()? + 1);
    let across = Axis::across(f64::from(first - 1), f64::from(last + 1));
    let most = coarse
        .iter()
        .flat_map(|(_, parts)| parts.values().copied())
        .fold(0.0, f64::max);
    let up = Axis::up(HEIGHT, 0.0, most * 1.1);
    let mut chart = Chart::new(
        label.to_owned(),
        HEIGHT,
        marks_of_time(&across, first - 1, last + 1),
        Vec::new(),
    );
    for (class, parts) in &coarse {
        let points = (first - 1..=last + 1).map(|at| {
            let part = parts.get(&at).copied().unwrap_or(0.0);
            (across.at(f64::from(at)), up.at(part))
        });
        let points: Vec<_> = points.collect();
        let class = match *class {
            "stable" => "stable area",
            _ => "candidate area",
        };
        chart.curves.push(Curve {
            class,
            path: steps(&points, across.at(f64::from(last + 1)), HEIGHT),
        });
    }
    chart.columns = arms
        .iter()
        .flat_map(|(class, buckets)| quantile(class, buckets, &across))
        .collect();
    Some(chart)
}

/// Parts of all replies, by bucket.
fn coarse(buckets: &[(u64, u64)]) -> BTreeMap<i32, f64> {
    let all: u64 = buckets.iter().map(|(_, count)| count).sum();
    let mut parts = BTreeMap::new();
    for (bound, count) in buckets {
        let at = place(*bound as f64).ceil() as i32 - 1;
        *parts.entry(at).or_insert(0.0) += *count as f64 / all as f64;
    }
    parts
}

/// Of so many microseconds.
fn place(micros: f64) -> f64 {
    micros.max(1.0).log2() * FINE
}

fn quantile(class: &'static str, buckets: &[(u64, u64)], across: &Axis) -> Option<Mark> {
    let all: u64 = buckets.iter().map(|(_, count)| count).sum();
    let mut below = 0;
    let (bound, _) = buckets.iter().find(|(_, count)| {
        below += count;
        below * 100 >= all * 95
    })?;
    let text = format!("p95 {}", words::latency(*bound as f64 / 1e6));
    Some(Mark {
        class,
        ..across.mark(place(*bound as f64), text)
    })
}

/// 1, 2 and 5 times each power of ten, or where those are many only some.
fn marks_of_time(across: &Axis, first: i32, last: i32) -> Vec<Mark> {
    let is_wide = f64::from(last - first) > 8.0 * FINE;
    let times: &[f64] = if is_wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = (0..12).flat_map(|power| times.iter().map(move |times| times * 10f64.powi(power)));
    let inside = powers.filter(|micros| {
        let at = place(*micros);
        at >= f64::from(first) && at <= f64::from(last)
    });
    inside
        .map(|micros| across.mark(place(micros), words::latency(micros / 1e6)))
        .collect()
}
