//! Twenty changes in a row under full load: nobody notices.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use crate::load::{Counts, Crowd, Load};
use crate::place::{Place, Spec};
use crate::stats::Sample;
use crate::table::{Finding, Table, amount, number, say};

pub(crate) const CROWD: Crowd = Crowd {
    connections: 64,
    newcomers: 0,
    streams: 50,
    conversations: 50,
};

/// Rolling, blue-green, canary and rollback, as often as there are rounds.
pub(crate) struct Series {
    pub(crate) replicas: u32,
    pub(crate) rounds: u64,
    /// Of the canary.
    pub(crate) steps: &'static str,
    pub(crate) crowd: Crowd,
}

pub(crate) const SERIES: Series = Series {
    replicas: 3,
    rounds: 5,
    steps: "[{ weight = 10, hold = \"1s\" }, { weight = 50, hold = \"1s\" }, { weight = 100 }]",
    crowd: CROWD,
};

/// The last goes back.
const NAMES: [&str; 4] = ["rolling", "blue-green", "canary", "rollback"];

impl Series {
    pub(crate) fn spec<'a>(&self, value: u64, rollout: &'a str) -> Spec<'a> {
        Spec {
            replicas: self.replicas,
            value,
            rollout,
            ..Spec::default()
        }
    }

    pub(crate) fn changes(&self) -> u64 {
        self.rounds * NAMES.len() as u64
    }

    fn run(&self, place: &Place) -> Result<Vec<Change>> {
        let all = (0..self.changes()).zip(NAMES.into_iter().cycle());
        all.map(|(at, name)| self.change(place, name, at + 1))
            .collect()
    }

    fn change(&self, place: &Place, name: &'static str, value: u64) -> Result<Change> {
        let ran = match self.rollout(name) {
            Some(rollout) => {
                place.spec(&self.spec(value, &rollout))?;
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

    /// The lines of `[rollout]`; `None` goes back.
    fn rollout(&self, name: &str) -> Option<String> {
        let lines = format!("strategy = \"{name}\"\nbake = \"1s\"");
        match name {
            "rollback" => None,
            "canary" => Some(format!("{lines}\nsteps = {}", self.steps)),
            _ => Some(lines),
        }
    }
}

pub(crate) fn measure() -> Result<Vec<Finding>> {
    measure_in(&Place::with(&SERIES.spec(0, ""))?, "changes", &SERIES)
}

pub(crate) fn measure_in(place: &Place, figure: &str, series: &Series) -> Result<Vec<Finding>> {
    let load = Load::start(place.address()?, series.crowd);
    let began = Instant::now();
    let changes = series.run(place)?;
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

/// Without the look for the image, which nobody else does.
pub(crate) fn rollout_seconds(told: &str) -> Option<f64> {
    let last: Value = serde_json::from_str(told.lines().last()?).ok()?;
    Some(last["result"]["took_ms"].as_f64()? / 1e3)
}

struct Change {
    name: &'static str,
    done: bool,
    seconds: f64,
}

fn show_changes(changes: &[Change]) {
    let mut table = Table::new(&["change", "done", "median", "max"]);
    for name in NAMES {
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
    show_reasons(counts);
}

/// What went wrong, and how often.
pub(crate) fn show_reasons(counts: &Counts) {
    for (says, times) in &counts.says {
        say(&format!("{times} × {says}"));
    }
}
