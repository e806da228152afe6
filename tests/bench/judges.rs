//! The judges on simulated rollouts, beside what was known of them and beside other tools' rules.
#![allow(clippy::unwrap_used)] // the numbers are ours, and in range

#[path = "../simulated/mod.rs"]
mod simulated;
mod speed;

use anyhow::Result;

use crate::table::{Finding, Table, number};
use simulated::{Detected, Stopped};

const ROLLOUTS: u64 = 10_000;

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let mut findings = vec![kept(), within_bursts(), found()];
    beside();
    findings.push(undecided());
    findings.extend(costs());
    Ok(findings)
}

/// Shares from 0 to 1 in per cent.
fn per_cent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn kept() -> Finding {
    let runs = [
        simulated::harmless(ROLLOUTS),
        simulated::still(ROLLOUTS / 10),
        simulated::steady(ROLLOUTS / 10),
    ];
    let mut table = Table::new(&[
        "harmless rollouts",
        "stopped",
        "promised, + 2 standard errors",
    ]);
    let all: Vec<Stopped> = runs.into_iter().flatten().collect();
    for one in &all {
        table.row([one.what.clone(), per_cent(one.share), per_cent(one.goal)]);
    }
    table.print();
    let broken = all.iter().filter(|one| one.share > one.goal);
    Finding::exactly(
        "promises broken on harmless rollouts",
        broken.count() as u64,
        0,
    )
}

fn within_bursts() -> Finding {
    let mut table = Table::new(&[
        "errors in bursts",
        "stopped",
        "promised",
        "if requests counted",
    ]);
    let all = simulated::bursts(ROLLOUTS);
    for (one, naive) in &all {
        let figures = [one.share, one.goal, *naive].map(per_cent);
        table.row([one.what.clone()].into_iter().chain(figures));
    }
    table.print();
    let broken = all.iter().filter(|(one, _)| one.share > one.goal);
    Finding::exactly("promises broken by bursts", broken.count() as u64, 0)
}

fn found() -> Finding {
    let runs = ROLLOUTS / 10;
    let all: Vec<Detected> = [
        simulated::detected(runs),
        simulated::slower(runs),
        simulated::dearer(runs),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut table = Table::new(&["worse candidates", "median", "known", "ratio"]);
    for one in &all {
        let figures = [one.median, one.known, one.median / one.known].map(number);
        table.row([one.what.clone()].into_iter().chain(figures));
    }
    table.print();
    let ratios = all.iter().map(|one| one.median / one.known);
    Finding::at_most(
        "slowest detection beside the known median",
        ratios.fold(0.0, f64::max),
        1.2,
        "×",
    )
}

fn beside() {
    let streams = simulated::compared(ROLLOUTS / 10);
    let rules = streams[0].verdicts.iter().map(|one| one.rule);
    let head: Vec<&str> = ["stopped, and after how many minutes"]
        .into_iter()
        .chain(rules)
        .collect();
    let mut table = Table::new(&head);
    for stream in &streams {
        let cells = stream.verdicts.iter().map(|one| match one.median {
            Some(minute) => format!("{}, {minute:.0} min", per_cent(one.stopped)),
            None => per_cent(one.stopped),
        });
        table.row([stream.what.to_owned()].into_iter().chain(cells));
    }
    table.print();
}

fn undecided() -> Finding {
    let (looks, decided) = speed::undecided(100_000);
    let what = format!("decided of {looks} looks at nothing");
    Finding::exactly(&what, decided, 0)
}

fn costs() -> Vec<Finding> {
    let costs = speed::costs(1_000_000).into_iter();
    costs
        .flat_map(|cost| {
            let what = cost.what;
            let time = cost.nanoseconds / 1e3;
            [
                Finding::at_most(&format!("one observation: {what}"), time, 1.0, "µs"),
                Finding::at_most(&format!("memory: {what}"), cost.kilobytes, 64.0, "kB"),
            ]
        })
        .collect()
}
