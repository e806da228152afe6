//! Simulated rollouts that hold the judges to their promise: the same streams for the tests, few,
//! and for `cargo bench --bench figures -- judges`, many. Every run has its own seed, so that each figure
//! is the same on every machine.

pub(crate) mod dice;
mod errors;
mod others;
mod slow;
mod spent;

use agentctl::judges::{Margin, Risk, Share};

pub(crate) use errors::{bursts, detected, harmless};
pub(crate) use others::compared;
pub(crate) use slow::{slower, still};
pub(crate) use spent::{dearer, steady};

/// The weights that a simulated rollout walks.
const WEIGHTS: [f64; 3] = [0.05, 0.25, 0.5];

/// How many of the runs were stopped.
pub(crate) struct Stopped {
    pub(crate) what: String,
    pub(crate) share: f64,
    /// The most that was promised, with two standard errors of the simulation itself.
    pub(crate) goal: f64,
}

/// After how many conversations half of the runs had been stopped.
pub(crate) struct Detected {
    pub(crate) what: String,
    pub(crate) median: f64,
    /// What statistics.md has for it.
    pub(crate) known: f64,
}

impl Stopped {
    fn new(what: impl Into<String>, stopped: usize, runs: u64, risk: f64) -> Self {
        let error = (risk * (1.0 - risk) / runs as f64).sqrt();
        Self {
            what: what.into(),
            share: stopped as f64 / runs as f64,
            goal: risk + 2.0 * error,
        }
    }
}

impl Detected {
    fn new(what: impl Into<String>, runs: u64, known: f64, run: impl Fn(u64) -> u64) -> Self {
        Self {
            what: what.into(),
            median: median((0..runs).map(run)),
            known,
        }
    }
}

fn median(values: impl Iterator<Item = u64>) -> f64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values[values.len() / 2] as f64
}

fn risk(risk: f64) -> Risk {
    Risk::new(risk).unwrap()
}

fn share(share: f64) -> Share {
    Share::new(share).unwrap()
}

fn no_margin() -> Margin {
    Margin::new(0.0).unwrap()
}
