//! From the moment that a gate is seen to be breached to the moment that the candidate has no share,
//! and to its last reply.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::changes;
use crate::load::{Crowd, Load};
use crate::place::{Place, Spec, eventually};
use crate::stats::{Sample, millis};
use crate::table::{Finding, times};

/// What the gate looks for, beside agent.toml.
const BREACH: &str = "breach";
const ROLLOUT: &str = r#"strategy = "canary"
steps = [{ weight = 50, hold = "10m" }, { weight = 100 }]

[[gate]]
name = "sound"
every = "1s"
source = { command = ["sh", "-c", "! test -e breach"] }
"#;

/// Milliseconds after the breach was seen.
struct Undone {
    weight_gone: f64,
    last_reply: f64,
}

pub(crate) fn measure() -> Result<Vec<Finding>> {
    measure_in(&Place::with(&spec(0))?, "breach", 10, 250.0)
}

/// `goal` in milliseconds.
pub(crate) fn measure_in(
    place: &Place,
    figure: &str,
    runs: u64,
    goal: f64,
) -> Result<Vec<Finding>> {
    let crowd = Crowd {
        newcomers: 4,
        ..Crowd::default()
    };
    let load = Load::start(place.address()?, crowd);
    let undone = (1..=runs).map(|value| undone(place, &load, value));
    let undone = undone.collect::<Result<Vec<_>>>()?;
    let counts = load.stop()?;
    changes::show_reasons(&counts);
    let gone = shown(&undone);
    Ok(vec![
        Finding::at_most(&format!("{figure}: weight 0"), gone, goal, "ms"),
        Finding::exactly(&format!("{figure}: failed requests"), counts.broken(), 0),
    ])
}

pub(crate) fn spec(value: u64) -> Spec<'static> {
    Spec {
        replicas: 2,
        value,
        rollout: ROLLOUT,
        ..Spec::default()
    }
}

fn undone(place: &Place, load: &Load, value: u64) -> Result<Undone> {
    load.look(|counts| counts.last.clear());
    let good = eventually("a reply", || {
        load.look(|counts| counts.last.keys().next().cloned())
    })?;
    place.spec(&spec(value))?;
    let deploy = place.start(&["deploy", "--output", "json"])?;
    let bad = eventually("the candidate's reply", || {
        load.look(|counts| {
            counts
                .last
                .keys()
                .find(|release| **release != good)
                .cloned()
        })
    })?;
    let breach = place.project().join(BREACH);
    fs::write(&breach, "")?;
    let ran = deploy.wait()?;
    fs::remove_file(breach)?;
    let (seen, routed) = moments(&ran.stdout).with_context(|| ran.words())?;
    let last = load.look(|counts| counts.last.get(&bad).copied());
    let last = as_told(last.context("the candidate never answered")?);
    Ok(Undone {
        weight_gone: millis(routed.duration_since(seen)?),
        last_reply: millis(last.duration_since(seen).unwrap_or(Duration::ZERO)),
    })
}

/// The same moment by the clock that agentctl writes down.
fn as_told(moment: Instant) -> SystemTime {
    SystemTime::now() - moment.elapsed()
}

/// When the gate failed, and when traffic was moved after that.
fn moments(stdout: &str) -> Option<(SystemTime, SystemTime)> {
    let lines = stdout.lines().map(serde_json::from_str::<Value>);
    let mut events = lines.filter_map(Result::ok);
    let seen = events.find(|line| line["event"]["failed"][0]["ask"].is_object())?;
    let routed = events.find(|line| line["event"]["done"]["route"].is_number())?;
    let at = |line: &Value| humantime::parse_rfc3339(line["at"].as_str()?).ok();
    Some((at(&seen)?, at(&routed)?))
}

/// The median until the candidate has no share.
fn shown(undone: &[Undone]) -> f64 {
    let of = |moment: fn(&Undone) -> f64| undone.iter().map(moment).collect::<Sample>();
    let (gone, last) = (of(|one| one.weight_gone), of(|one| one.last_reply));
    let rows = [("candidate at weight 0", &gone), ("its last reply", &last)];
    times("after the breach was seen", &rows);
    gone.median()
}
