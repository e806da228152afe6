//! Replies that take longer: lognormal, 200 ms and a deviation of 0.6.

use agentctl::judges::{Arm, Finding, Latency, Thresholds};

use super::dice::Dice;
use super::{Detected, Stopped, WEIGHTS, no_margin, risk, share};

const MEDIAN: f64 = 0.2;
const SIGMA: f64 = 0.6;

/// What is wrong with the candidate.
#[derive(Clone, Copy)]
enum Slow {
    /// Every reply takes so many times as long.
    Each(f64),
    /// This part of them takes five times as long.
    Some(f64),
}

fn latency() -> Latency {
    let at = |deviations: f64| MEDIAN * (SIGMA * deviations).exp();
    // The 50th, 95th and 99th percentile.
    let quantiles = [0.0, 1.644_854, 2.326_348].map(at);
    Latency::new(Thresholds::frozen(quantiles).unwrap(), no_margin())
}

fn reply(arm: Arm, slow: Slow, dice: &mut Dice) -> f64 {
    let took = dice.lognormal(MEDIAN, SIGMA);
    match (arm, slow) {
        (Arm::Stable, _) => took,
        (Arm::Candidate, Slow::Each(times)) => took * times,
        (Arm::Candidate, Slow::Some(part)) if dice.happens(part) => took * 5.0,
        (Arm::Candidate, Slow::Some(_)) => took,
    }
}

/// Candidates that take as long as the stable release, and were stopped.
pub(crate) fn still(runs: u64) -> Vec<Stopped> {
    let promised = 0.01;
    let stopped = (0..runs).filter(|seed| {
        let mut dice = Dice::new(*seed);
        let mut latency = latency();
        WEIGHTS.iter().any(|weight| {
            latency.step(share(*weight));
            (0..2_000).any(|_| {
                let arm = dice.arm(*weight);
                latency.see(arm, reply(arm, Slow::Each(1.0), &mut dice));
                latency.finding(risk(promised)) == Finding::Fail
            })
        })
    });
    vec![Stopped::new(
        "latency, risk 0.01",
        stopped.count(),
        runs,
        promised,
    )]
}

pub(crate) fn slower(runs: u64) -> Vec<Detected> {
    let known = [
        (0.1, Slow::Each(1.1), 18_300.0),
        (0.1, Slow::Each(1.25), 2_950.0),
        (0.1, Slow::Each(1.5), 725.0),
        (0.1, Slow::Some(0.02), 12_200.0),
        (0.1, Slow::Some(0.05), 2_500.0),
        (0.5, Slow::Each(1.1), 6_600.0),
        (0.5, Slow::Each(1.25), 1_100.0),
        (0.5, Slow::Each(1.5), 350.0),
        (0.5, Slow::Some(0.02), 4_900.0),
        (0.5, Slow::Some(0.05), 1_100.0),
    ];
    known
        .into_iter()
        .map(|(at, slow, median)| {
            let what = format!("latency {} at {:.0} %", slow.name(), at * 100.0);
            Detected::new(what, runs, median, |seed| until_stopped(at, slow, seed))
        })
        .collect()
}

fn until_stopped(at: f64, slow: Slow, seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let mut latency = latency();
    latency.step(share(at));
    let mut seen = 0;
    while latency.finding(risk(0.01)) != Finding::Fail {
        seen += 1;
        let arm = dice.arm(at);
        latency.see(arm, reply(arm, slow, &mut dice));
    }
    seen
}

impl Slow {
    fn name(self) -> String {
        match self {
            Self::Each(times) => format!("× {times}"),
            Self::Some(part) => format!("× 5 for {:.0} %", part * 100.0),
        }
    }
}
