//! `kill -9` of agentctl after each event that it wrote down, then `resume` or `abort`: the end is
//! the old release or the new one, whole, and no request fails.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::changes;
use crate::load::{Crowd, Load};
use crate::place::{Place, Ran, Running, Spec, eventually};
use crate::table::{Finding, Table, say};

const REPLICAS: u32 = 2;
/// More events than any of the rollouts here has.
const MOST: usize = 100;

const CROWD: Crowd = Crowd {
    connections: 4,
    newcomers: 0,
    streams: 0,
    conversations: 8,
};

const STRATEGIES: [(&str, &str); 3] = [
    ("rolling", "strategy = \"rolling\"\nbake = \"300ms\""),
    ("blue-green", "strategy = \"blue-green\"\nbake = \"300ms\""),
    (
        "canary",
        "strategy = \"canary\"\nbake = \"300ms\"\n\
         steps = [{ weight = 10, hold = \"300ms\" }, { weight = 50, hold = \"300ms\" }, { weight = 100 }]",
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum End {
    New,
    Old,
    NotWhole,
}

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let head = [
        "strategy",
        "kills",
        "in new",
        "in old",
        "not whole",
        "failed requests",
    ];
    let mut table = Table::new(&head);
    let (mut torn, mut broken) = (0, 0);
    for (name, rollout) in STRATEGIES {
        let (ends, failed) = all_kills(rollout)?;
        let count = |end| ends.iter().filter(|one| **one == end).count();
        torn += count(End::NotWhole);
        broken += failed;
        table.row([
            name.to_owned(),
            ends.len().to_string(),
            count(End::New).to_string(),
            count(End::Old).to_string(),
            count(End::NotWhole).to_string(),
            failed.to_string(),
        ]);
    }
    table.print();
    Ok(vec![
        Finding::exactly("agentctl killed: not whole", torn as u64, 0),
        Finding::exactly("agentctl killed: failed requests", broken, 0),
    ])
}

/// The ends of all kills of one strategy, and how many requests failed on the way.
fn all_kills(rollout: &str) -> Result<(Vec<End>, u64)> {
    let place = Place::with(&spec(0, rollout))?;
    let load = Load::start(place.address()?, CROWD);
    let mut ends = Vec::new();
    for event in 1..MOST {
        match kill_after(&place, event, rollout)? {
            Some(end) => ends.push(end),
            None => break,
        }
    }
    let counts = load.stop()?;
    changes::show_reasons(&counts);
    Ok((ends, counts.broken() + counts.mixed))
}

fn spec(value: usize, rollout: &str) -> Spec<'_> {
    Spec {
        replicas: REPLICAS,
        value: value as u64,
        rollout,
        ..Spec::default()
    }
}

/// `None`: the rollout ended with fewer events.
fn kill_after(place: &Place, event: usize, rollout: &str) -> Result<Option<End>> {
    let old = serving(&place.status()?).context("no release is whole at the start")?;
    place.spec(&spec(event, rollout))?;
    let journal = next_journal(place)?;
    let deploy = place.start(&["deploy"])?;
    if !killed(deploy, &journal, event)? {
        return Ok(None);
    }
    let ran = go_on(place, event)?;
    let end = match serving(&place.status()?) {
        Some(now) if now == old => End::Old,
        Some(_) => End::New,
        None => End::NotWhole,
    };
    if end == End::NotWhole {
        say(&format!(
            "killed after event {event}: {} {}",
            ran.words(),
            place.status()?
        ));
    }
    Ok(Some(end))
}

fn next_journal(place: &Place) -> Result<PathBuf> {
    let rollouts = place.state().join("rollouts");
    let journals = fs::read_dir(&rollouts)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".journal"))
        .count();
    Ok(rollouts.join(format!("{:04}.journal", journals + 1)))
}

/// As soon as so many events are written down; `false` if it ends before.
fn killed(mut deploy: Running, journal: &Path, events: usize) -> Result<bool> {
    let reached = eventually("the event", || {
        let text = fs::read(journal).unwrap_or_default();
        let written = text.iter().filter(|byte| **byte == b'\n').count();
        match deploy.is_over() {
            true => Some(false),
            false => (written >= events).then_some(true),
        }
    })?;
    deploy.kill()?;
    deploy.wait()?;
    Ok(reached)
}

/// What cannot be undone any more is finished.
fn go_on(place: &Place, event: usize) -> Result<Ran> {
    if event % 2 == 1 {
        let aborted = place.run(&["abort"])?;
        if aborted.code == Some(0) {
            return Ok(aborted);
        }
    }
    place.run(&["resume"])
}

/// The one release that has all of the traffic, if all of its replicas are ready and nothing is
/// under way.
fn serving(status: &Value) -> Option<String> {
    let releases = status["releases"].as_array()?;
    let whole = releases.iter().find(|release| {
        release["weight"].as_f64() == Some(100.0)
            && release["wanted"] == REPLICAS
            && release["ready"] == REPLICAS
    })?;
    let alone = |other: &Value| other["release"] == whole["release"] || other["wanted"] == 0;
    let settled = status["rollout"].is_null() && releases.iter().all(alone);
    settled.then(|| whole["release"].to_string())
}
