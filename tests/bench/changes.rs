//! Twenty changes in a row under full load: nobody notices.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::load::{Counts, Crowd, Load};
use crate::place::{Place, Spec};
use crate::stats::Sample;
use crate::table::{Finding, Table, amount, number, say};

const ROUNDS: u64 = 5;

pub(crate) const CROWD: Crowd = Crowd {
    connections: 64,
    streams: 50,
    conversations: 50,
};

/// What is changed, and the lines of `[rollout]`; `None` goes back.
const CHANGES: [(&str, Option<&str>); 4] = [
    ("rolling", Some("strategy = \"rolling\"\nbake = \"1s\"")),
    (
        "blue-green",
        Some("strategy = \"blue-green\"\nbake = \"1s\""),
    ),
    (
        "canary",
        Some(
            "strategy = \"canary\"\nbake = \"1s\"\n\
             steps = [{ weight = 10, hold = \"1s\" }, { weight = 50, hold = \"1s\" }, { weight = 100 }]",
        ),
    ),
    ("rollback", None),
];

pub(crate) fn measure() -> Result<Vec<Finding>> {
    measure_in(&Place::with(&spec(0, ""))?, "changes")
}

pub(crate) fn measure_in(place: &Place, figure: &str) -> Result<Vec<Finding>> {
    let load = Load::start(place.port, CROWD);
    let began = Instant::now();
    let changes = changes(place)?;
    let took = began.elapsed();
    let served = load.look(|counts| counts.served);
    let counts = load.stop()?;
    show_changes(&changes);
    show_load(&counts, served, took);
    let done = changes.iter().filter(|change| change.done).count();
    Ok(vec![
        Finding::exactly(
            &format!("{figure}: done"),
            done as u64,
            changes.len() as u64,
        ),
        Finding::exactly(&format!("{figure}: failed or cut"), counts.broken(), 0),
        Finding::exactly(&format!("{figure}: met two releases"), counts.mixed, 0),
    ])
}

pub(crate) fn spec<'a>(value: u64, rollout: &'a str) -> Spec<'a> {
    Spec {
        replicas: 3,
        value,
        rollout,
        ..Spec::default()
    }
}

struct Change {
    name: &'static str,
    done: bool,
    seconds: f64,
}

fn changes(place: &Place) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for round in 0..ROUNDS {
        for (at, (name, rollout)) in CHANGES.into_iter().enumerate() {
            let value = round * CHANGES.len() as u64 + at as u64 + 1;
            changes.push(change(place, name, value, rollout)?);
        }
    }
    Ok(changes)
}

fn change(place: &Place, name: &'static str, value: u64, rollout: Option<&str>) -> Result<Change> {
    let ran = match rollout {
        Some(rollout) => {
            place.spec(&spec(value, rollout))?;
            place.run(&["deploy"])?
        }
        None => place.run(&["rollback"])?,
    };
    let done = ran.code == Some(0);
    if !done {
        say(&format!("{name} {value} {}", ran.words()));
    }
    let seconds = ran.took.as_secs_f64();
    Ok(Change {
        name,
        done,
        seconds,
    })
}

fn show_changes(changes: &[Change]) {
    let mut table = Table::new(&["change", "done", "median", "max"]);
    for (name, _) in CHANGES {
        let same = || changes.iter().filter(|change| change.name == name);
        let times: Sample = same().map(|change| change.seconds).collect();
        table.row([
            name.to_owned(),
            same().filter(|change| change.done).count().to_string(),
            amount(times.median(), "s"),
            amount(times.max(), "s"),
        ]);
    }
    table.print();
}

pub(crate) fn show_load(counts: &Counts, served: u64, took: Duration) {
    let mut table = Table::new(&["load", ""]);
    let latency = counts.latency();
    for (name, value) in [
        ("requests", number(counts.served as f64)),
        ("a second", number(served as f64 / took.as_secs_f64())),
        ("p50", amount(latency.median(), "ms")),
        ("p99", amount(latency.quantile(0.99), "ms")),
        ("streams read to their end", counts.streams.to_string()),
        ("conversations", counts.conversations.to_string()),
        ("failed", counts.failed.to_string()),
        ("cut", counts.cut.to_string()),
        ("met two releases", counts.mixed.to_string()),
    ] {
        table.row([name.to_owned(), value]);
    }
    table.print();
    for (says, times) in &counts.says {
        say(&format!("{times} × {says}"));
    }
}
