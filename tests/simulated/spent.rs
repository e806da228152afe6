//! Conversations that use more: lognormal with a deviation of 1, and a cap of 20 times the median.

use agentctl::judges::{Arm, Cap, Risk, Spend};

use super::dice::Dice;
use super::{Detected, Stopped, WEIGHTS, no_margin, share};

fn spend() -> Spend {
    Spend::new(Cap::new(20.0).unwrap(), no_margin())
}

fn see(spend: &mut Spend, at: f64, times: f64, dice: &mut Dice) {
    let arm = dice.arm(at);
    let used = dice.lognormal(1.0, 1.0);
    let used = match arm {
        Arm::Stable => used,
        Arm::Candidate => used * times,
    };
    spend.see(arm, used);
}

/// What the judge as a whole, or the bets on the mean alone, must reach.
fn bound(risk: Risk) -> f64 {
    -risk.get().ln()
}

/// Candidates that use as much as the stable release, and were stopped.
pub(crate) fn steady(runs: u64) -> Vec<Stopped> {
    let promised = super::risk(0.01);
    let count = |evidence: fn(&Spend) -> f64| {
        let stopped = (0..runs).filter(|seed| {
            let (mut dice, mut spend) = (Dice::new(*seed), spend());
            WEIGHTS.iter().any(|weight| {
                spend.step(share(*weight));
                (0..2_000).any(|_| {
                    see(&mut spend, *weight, 1.0, &mut dice);
                    evidence(&spend) >= bound(promised)
                })
            })
        });
        stopped.count()
    };
    vec![
        Stopped::new(
            "spend, mean, risk 0.01",
            count(|s| s.mean().evidence()),
            runs,
            0.01,
        ),
        Stopped::new(
            "spend, mean and cap, risk 0.01",
            count(Spend::worse),
            runs,
            0.01,
        ),
    ]
}

/// The bets on the mean alone, as statistics.md has them.
pub(crate) fn dearer(runs: u64) -> Vec<Detected> {
    let known = [
        (0.1, 1.1, 23_000.0),
        (0.1, 1.25, 4_100.0),
        (0.1, 1.5, 1_700.0),
        (0.1, 2.0, 831.0),
        (0.5, 1.1, 7_800.0),
        (0.5, 1.25, 1_300.0),
        (0.5, 1.5, 426.0),
        (0.5, 2.0, 194.0),
    ];
    known
        .into_iter()
        .map(|(at, times, median)| {
            let what = format!("spend × {times} at {:.0} %", at * 100.0);
            Detected::new(what, runs, median, |seed| until_stopped(at, times, seed))
        })
        .collect()
}

fn until_stopped(at: f64, times: f64, seed: u64) -> u64 {
    let (mut dice, mut spend) = (Dice::new(seed), spend());
    spend.step(share(at));
    let mut seen = 0;
    while spend.mean().evidence() < bound(super::risk(0.01)) {
        seen += 1;
        see(&mut spend, at, times, &mut dice);
    }
    seen
}
