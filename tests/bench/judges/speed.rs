//! What one observation costs.

use std::hint::black_box;
use std::time::Instant;

use agentctl::judges::{Arm, Cap, Finding, Latency, Margin, Rates, Risk, Share, Spend, Thresholds};

use super::simulated::dice::Dice;

const WEIGHTS: [f64; 3] = [0.05, 0.25, 0.5];

/// Nanoseconds per observation with a look at each, of so many that were made beforehand.
pub(crate) fn nanoseconds(observations: usize) -> Vec<(&'static str, f64)> {
    let mut dice = Dice::new(1);
    let seen: Vec<(Arm, f64)> = (0..observations)
        .map(|_| (dice.arm(0.5), dice.lognormal(1.0, 1.0)))
        .collect();
    vec![
        ("errors, one per cent", rates(&seen, 10.24)),
        ("errors, every one", rates(&seen, 0.0)),
        ("latency, three thresholds", latency(&seen)),
        ("spend", spend(&seen)),
    ]
}

fn each(seen: &[(Arm, f64)], mut look: impl FnMut(Arm, f64) -> Finding) -> f64 {
    let began = Instant::now();
    for (arm, value) in seen {
        black_box(look(*arm, *value));
    }
    began.elapsed().as_nanos() as f64 / seen.len() as f64
}

fn rates(seen: &[(Arm, f64)], above: f64) -> f64 {
    let mut rates = Rates::new(Margin::NONE);
    WEIGHTS
        .iter()
        .for_each(|weight| rates.step(Share::new(*weight).unwrap()));
    each(seen, |arm, value| {
        let unit = rates.begin(arm);
        if let Some(unit) = unit.filter(|_| value > above) {
            rates.fail(unit);
        }
        rates.finding(Risk::new(0.01).unwrap())
    })
}

fn latency(seen: &[(Arm, f64)]) -> f64 {
    let thresholds = Thresholds::frozen([1.0, 5.18, 10.24]).unwrap();
    let mut latency = Latency::new(thresholds, Margin::NONE);
    WEIGHTS
        .iter()
        .for_each(|weight| latency.step(Share::new(*weight).unwrap()));
    each(seen, |arm, value| {
        latency.see(arm, value);
        latency.finding(Risk::new(0.01).unwrap())
    })
}

fn spend(seen: &[(Arm, f64)]) -> f64 {
    let mut spend = Spend::new(Cap::new(20.0).unwrap(), Margin::NONE);
    WEIGHTS
        .iter()
        .for_each(|weight| spend.step(Share::new(*weight).unwrap()));
    each(seen, |arm, value| {
        spend.see(arm, value);
        spend.finding(Risk::new(0.01).unwrap())
    })
}
