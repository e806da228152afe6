//! What one observation costs, in time and in memory.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use agentctl::judges::{Arm, Cap, Finding, Latency, Margin, Rates, Risk, Share, Spend, Thresholds};

use super::simulated::dice::Dice;

const WEIGHTS: [f64; 3] = [0.05, 0.25, 0.5];

/// Of so many observations with a look at each.
pub(crate) struct Cost {
    pub(crate) what: &'static str,
    /// For one.
    pub(crate) nanoseconds: f64,
    /// What the process holds more than before all of them.
    pub(crate) kilobytes: f64,
}

/// They were made beforehand.
pub(crate) fn costs(observations: usize) -> Vec<Cost> {
    let mut dice = Dice::new(1);
    let seen: Vec<(Arm, f64)> = (0..observations)
        .map(|_| (dice.arm(0.5), dice.lognormal(1.0, 1.0)))
        .collect();
    vec![
        cost("errors, one per cent", || rates(&seen, 10.24)),
        cost("errors, every one", || rates(&seen, 0.0)),
        cost("latency, three thresholds", || latency(&seen)),
        cost("spend", || spend(&seen)),
    ]
}

fn cost(what: &'static str, run: impl FnOnce() -> f64) -> Cost {
    let before = resident();
    let nanoseconds = run();
    Cost {
        what,
        nanoseconds,
        kilobytes: (resident() - before).max(0.0),
    }
}

/// What this process holds, in kilobytes.
fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// So many looks at each judge that was told nothing, or nothing that says anything; and how many of
/// them decided something.
pub(crate) fn undecided(looks: usize) -> (u64, u64) {
    let mut decided = 0;
    let mut judges: [&mut dyn FnMut() -> Finding; 4] = [
        &mut one_sided(),
        &mut nothing(),
        &mut no_numbers(),
        &mut no_times(),
    ];
    for judge in &mut judges {
        decided += (0..looks).filter(|_| judge() != Finding::Unclear).count() as u64;
    }
    ((judges.len() * looks) as u64, decided)
}

fn nothing() -> impl FnMut() -> Finding {
    let mut rates = Rates::new(Margin::NONE);
    rates.step(Share::new(0.5).unwrap());
    move || rates.finding(Risk::new(0.01).unwrap())
}

/// Every one fails, and the other release has no traffic.
fn one_sided() -> impl FnMut() -> Finding {
    let mut latency = Latency::new(Thresholds::frozen([1.0]).unwrap(), Margin::NONE);
    move || {
        latency.see(Arm::Candidate, 9.0);
        latency.finding(Risk::new(0.01).unwrap())
    }
}

fn no_numbers() -> impl FnMut() -> Finding {
    let mut spend = Spend::new(Cap::new(20.0).unwrap(), Margin::NONE);
    spend.step(Share::new(0.5).unwrap());
    move || {
        spend.see(Arm::Candidate, f64::NAN);
        spend.see(Arm::Stable, f64::NAN);
        spend.finding(Risk::new(0.01).unwrap())
    }
}

fn no_times() -> impl FnMut() -> Finding {
    let mut latency = Latency::new(Thresholds::frozen([1.0]).unwrap(), Margin::NONE);
    latency.step(Share::new(0.5).unwrap());
    move || {
        latency.see(Arm::Candidate, f64::NAN);
        latency.see(Arm::Stable, f64::NAN);
        latency.finding(Risk::new(0.01).unwrap())
    }
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
