//! Conversations that fail.

use agentctl::judges::{Arm, Finding, Rates};

use super::dice::Dice;
use super::{Detected, Stopped, WEIGHTS, no_margin, risk, share};

/// Minutes that each weight is held.
const HOLD: u64 = 60;

/// One minute of a rollout: how many conversations begin, and what part of them fails.
pub(super) struct Minute {
    pub(super) weight: f64,
    pub(super) conversations: u64,
    pub(super) rate: f64,
}

/// The rate of failures through a day.
#[derive(Clone, Copy)]
pub(super) enum Day {
    Steady(f64),
    /// Between these, with traffic between a quarter and seven quarters of its mean.
    Swinging(f64, f64),
}

/// Three hours from any time of a day that is a tenth as long as a real one, so that each rollout
/// sees more than a whole swing.
pub(super) fn minutes(day: Day, traffic: f64, dice: &mut Dice) -> Vec<Minute> {
    let phase = dice.share();
    let minute = |weight: f64, at: u64| {
        let turn = std::f64::consts::TAU * (at as f64 / 144.0 + phase);
        let (rate, swing) = match day {
            Day::Steady(rate) => (rate, 0.0),
            Day::Swinging(least, most) => {
                let middle = f64::midpoint(least, most);
                (middle + (most - middle) * turn.sin(), 0.75 * turn.cos())
            }
        };
        Minute {
            weight,
            conversations: (traffic * (1.0 + swing)) as u64,
            rate,
        }
    };
    let steps = WEIGHTS.into_iter().zip(0..);
    steps
        .flat_map(|(weight, step)| (step * HOLD..(step + 1) * HOLD).map(move |at| (weight, at)))
        .map(|(weight, at)| minute(weight, at))
        .collect()
}

/// Harmless rollouts that were stopped, with a look at every event.
pub(crate) fn harmless(runs: u64) -> Vec<Stopped> {
    let days = [
        ("0.5 %, steady", Day::Steady(0.005)),
        (
            "0.2 to 5 %, swinging with traffic",
            Day::Swinging(0.002, 0.05),
        ),
    ];
    let cases = days.into_iter().flat_map(|day| [(day, 0.01), (day, 0.05)]);
    cases
        .map(|((name, day), promised)| {
            let stopped = (0..runs).filter(|seed| is_stopped(day, promised, *seed));
            let what = format!("errors {name}, risk {promised}");
            Stopped::new(what, stopped.count(), runs, promised)
        })
        .collect()
}

fn is_stopped(day: Day, promised: f64, seed: u64) -> bool {
    let mut dice = Dice::new(seed);
    let mut rates = Rates::new(no_margin());
    let mut weight = 0.0;
    for minute in minutes(day, 80.0, &mut dice) {
        if minute.weight > weight {
            weight = minute.weight;
            rates.step(share(weight));
        }
        for _ in 0..minute.conversations {
            let unit = rates.begin(dice.arm(weight));
            if let Some(unit) = unit.filter(|_| dice.happens(minute.rate)) {
                rates.fail(unit);
            }
            if rates.finding(risk(promised)) == Finding::Fail {
                return true;
            }
        }
    }
    false
}

/// Conversations that fail many times: told as conversations, and (as a warning, not a goal) as
/// requests.
pub(crate) fn bursts(runs: u64) -> Vec<(Stopped, f64)> {
    let promised = 0.05;
    let cases = [1u64, 2, 5, 10].into_iter().map(|burst| {
        let stopped = |runs: u64, by_request: bool| {
            let seeds = (0..runs).filter(|seed| is_stopped_in_bursts(burst, by_request, *seed));
            seeds.count()
        };
        let what = format!("bursts of {burst}, risk {promised}");
        let few = runs.div_ceil(10);
        let naive = stopped(few, true) as f64 / few as f64;
        (
            Stopped::new(what, stopped(runs, false), runs, promised),
            naive,
        )
    });
    cases.collect()
}

fn is_stopped_in_bursts(burst: u64, by_request: bool, seed: u64) -> bool {
    let mut dice = Dice::new(seed);
    let mut rates = Rates::new(no_margin());
    for weight in WEIGHTS {
        rates.step(share(weight));
        for _ in 0..5_000 {
            let arm = dice.arm(weight);
            let errors = if dice.happens(0.01) { burst } else { 0 };
            fail(&mut rates, arm, errors, by_request);
            if rates.finding(risk(0.05)) == Finding::Fail {
                return true;
            }
        }
    }
    false
}

/// A conversation of ten requests, of which some fail.
fn fail(rates: &mut Rates, arm: Arm, errors: u64, by_request: bool) {
    let (units, failures) = match by_request {
        true => (10, errors),
        false => (1, errors.min(1)),
    };
    for at in 0..units {
        let unit = rates.begin(arm);
        if let Some(unit) = unit.filter(|_| at < failures) {
            rates.fail(unit);
        }
    }
}

/// Candidates that fail more often, at one per cent and a risk of one per cent.
pub(crate) fn detected(runs: u64) -> Vec<Detected> {
    let known = [
        (0.05, [(2.0, 29_000.0), (5.0, 2_600.0), (10.0, 834.0)]),
        (0.1, [(2.0, 15_100.0), (5.0, 1_370.0), (10.0, 442.0)]),
        (0.5, [(2.0, 5_900.0), (5.0, 640.0), (10.0, 217.0)]),
    ];
    let rarely = [(0.1, (1.5, 60_000.0)), (0.5, (1.5, 22_700.0))];
    let cells = known
        .into_iter()
        .flat_map(|(at, all)| all.map(|cell| (at, cell)));
    let cells = cells.chain(rarely);
    cells
        .map(|(at, (ratio, median))| {
            let what = format!("errors × {ratio} at {:.0} %", at * 100.0);
            Detected::new(what, runs, median, |seed| until_stopped(at, ratio, seed))
        })
        .collect()
}

fn until_stopped(at: f64, ratio: f64, seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let mut rates = Rates::new(no_margin());
    rates.step(share(at));
    let mut seen = 0;
    while rates.finding(risk(0.01)) != Finding::Fail {
        seen += 1;
        let arm = dice.arm(at);
        let rate = match arm {
            Arm::Stable => 0.01,
            Arm::Candidate => 0.01 * ratio,
        };
        let unit = rates.begin(arm);
        if let Some(unit) = unit.filter(|_| dice.happens(rate)) {
            rates.fail(unit);
        }
    }
    seen
}
