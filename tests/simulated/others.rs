//! The same streams as other tools judge them: minute by minute.
//!
//! Kayenta (NetflixACAJudge): a Mann-Whitney confidence interval at 98 % of the shift between the two
//! series of error rates, normal approximation; worse if all of it is above a quarter of the
//! Hodges-Lehmann estimate; looked at every hour. "99 %": of a minute's conversations with the
//! candidate, or it is a failed check; five of them stop the rollout.

use agentctl::judges::{Arm, Finding, Rates};

use super::dice::Dice;
use super::errors::{Day, minutes};
use super::{median, no_margin, risk, share};

/// Conversations per minute.
const TRAFFIC: f64 = 300.0;

/// What one rule made of all runs of one stream.
pub(crate) struct Verdicts {
    pub(crate) rule: &'static str,
    /// The share of runs that it stopped.
    pub(crate) stopped: f64,
    /// Minutes until half of those were stopped; `None` if there are none.
    pub(crate) median: Option<f64>,
}

/// One stream, and what each rule made of it.
pub(crate) struct Compared {
    pub(crate) what: &'static str,
    pub(crate) verdicts: [Verdicts; 3],
}

/// What one minute's conversations came to: (all, failed).
#[derive(Clone, Copy, Default)]
struct Counted {
    stable: (u64, u64),
    candidate: (u64, u64),
}

/// The same rollouts of three hours, harmless ones and worse ones, by each rule.
pub(crate) fn compared(runs: u64) -> Vec<Compared> {
    let swinging = Day::Swinging(0.002, 0.05);
    let cases = [
        ("harmless, 0.5 %", Day::Steady(0.005), 1.0),
        ("harmless, 1 %", Day::Steady(0.01), 1.0),
        ("harmless, 0.2 to 5 %, swinging", swinging, 1.0),
        ("errors × 2 of 1 %", Day::Steady(0.01), 2.0),
        ("errors × 5 of 1 %", Day::Steady(0.01), 5.0),
        ("errors × 10 of 1 %", Day::Steady(0.01), 10.0),
    ];
    cases
        .map(|(what, day, ratio)| compare(what, day, ratio, runs))
        .into()
}

fn compare(what: &'static str, day: Day, ratio: f64, runs: u64) -> Compared {
    let mut ends: [Vec<u64>; 3] = Default::default();
    for seed in 0..runs {
        let judged = judged(day, ratio, &mut Dice::new(seed));
        for (ends, end) in ends.iter_mut().zip(judged) {
            ends.extend(end);
        }
    }
    let verdicts = ["agentctl", "Kayenta", "99 % per minute"]
        .into_iter()
        .zip(ends);
    let verdicts: Vec<Verdicts> = verdicts
        .map(|(rule, ends)| Verdicts {
            rule,
            stopped: ends.len() as f64 / runs as f64,
            median: (!ends.is_empty()).then(|| median(ends.into_iter())),
        })
        .collect();
    let verdicts = verdicts.try_into().unwrap_or_else(|_| unreachable!());
    Compared { what, verdicts }
}

/// The minute in which each rule stops the rollout.
fn judged(day: Day, ratio: f64, dice: &mut Dice) -> [Option<u64>; 3] {
    let mut rates = Rates::new(no_margin());
    let (mut weight, mut ours) = (0.0, None);
    let mut counted = Vec::new();
    for (minute, at) in minutes(day, TRAFFIC, dice).into_iter().zip(1..) {
        if minute.weight > weight {
            weight = minute.weight;
            rates.step(share(weight));
        }
        let mut sums = Counted::default();
        for _ in 0..minute.conversations {
            let arm = dice.arm(weight);
            let failed = sums.add(arm, minute.rate, ratio, dice);
            let unit = rates.begin(arm);
            if let Some(unit) = unit.filter(|_| failed) {
                rates.fail(unit);
            }
            if rates.finding(risk(0.01)) == Finding::Fail {
                ours.get_or_insert(at);
            }
        }
        counted.push(sums);
    }
    [ours, kayenta(&counted), every_minute(&counted)]
}

impl Counted {
    fn add(&mut self, arm: Arm, rate: f64, ratio: f64, dice: &mut Dice) -> bool {
        let (sums, rate) = match arm {
            Arm::Stable => (&mut self.stable, rate),
            Arm::Candidate => (&mut self.candidate, rate * ratio),
        };
        let failed = dice.happens(rate);
        sums.0 += 1;
        sums.1 += u64::from(failed);
        failed
    }
}

fn rate((all, failed): (u64, u64)) -> Option<f64> {
    (all > 0).then(|| failed as f64 / all as f64)
}

fn every_minute(counted: &[Counted]) -> Option<u64> {
    let rates = (1..).zip(counted.iter().map(|sums| rate(sums.candidate)));
    let mut failed = rates.filter(|(_, rate)| rate.is_some_and(|rate| rate > 0.01));
    failed.nth(4).map(|(minute, _)| minute)
}

fn kayenta(counted: &[Counted]) -> Option<u64> {
    [60, 120, 180].into_iter().find(|until| {
        let points = &counted[..*until as usize];
        let stable: Vec<f64> = points.iter().filter_map(|p| rate(p.stable)).collect();
        let candidate: Vec<f64> = points.iter().filter_map(|p| rate(p.candidate)).collect();
        is_high(&stable, &candidate)
    })
}

fn is_high(stable: &[f64], candidate: &[f64]) -> bool {
    let pairs = candidate
        .iter()
        .flat_map(|x| stable.iter().map(move |y| x - y));
    let mut shifts: Vec<f64> = pairs.collect();
    let (n, m) = (candidate.len() as f64, stable.len() as f64);
    // 2.3263: the 99th percentile of the normal distribution.
    let from_middle = 2.326_348 * (n * m * (n + m + 1.0) / 12.0).sqrt();
    let lowest = (n * m / 2.0 - from_middle).max(0.0) as usize;
    let middle = shifts.len() / 2;
    let lower = *shifts.select_nth_unstable_by(lowest, f64::total_cmp).1;
    let estimate = *shifts.select_nth_unstable_by(middle, f64::total_cmp).1;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    lower > 0.25 * estimate.abs() && mean(candidate) >= mean(stable)
}
