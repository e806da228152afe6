//! From `agentctl rollback` to the last reply of the bad release, while it bakes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::load::{Counts, Crowd, Load};
use crate::place::{Place, Spec, eventually};
use crate::stats::{Sample, millis};
use crate::table::{Finding, times};

pub(crate) fn measure() -> Result<Vec<Finding>> {
    measure_in(&Place::with(&spec(0))?, KEPT, "rollback", 20, 100.0)
}

pub(crate) const KEPT: Crowd = Crowd {
    connections: 2,
    newcomers: 0,
    streams: 0,
    conversations: 0,
};

/// `goal` in milliseconds.
pub(crate) fn measure_in(
    place: &Place,
    crowd: Crowd,
    figure: &str,
    runs: u64,
    goal: f64,
) -> Result<Vec<Finding>> {
    let load = Load::start(place.address()?, crowd);
    let undone = (1..=runs).map(|value| undo(place, &load, value));
    let (gone, done): (Vec<f64>, Vec<f64>) = undone.collect::<Result<_>>()?;
    let counts = load.stop()?;
    let gone = shown(gone, done);
    Ok(vec![
        Finding::at_most(&format!("{figure}: last bad reply"), gone, goal, "ms"),
        Finding::exactly(&format!("{figure}: failed requests"), counts.broken(), 0),
    ])
}

pub(crate) fn spec(value: u64) -> Spec<'static> {
    Spec {
        replicas: 2,
        value,
        rollout: "strategy = \"blue-green\"\nbake = \"10m\"",
        ..Spec::default()
    }
}

/// A cluster changes its rules once a second: whoever goes back at once waits for the change before.
const BAKED: Duration = Duration::from_secs(2);

/// Milliseconds until the last reply of the bad release, and until the command ended.
fn undo(place: &Place, load: &Load, value: u64) -> Result<(f64, f64)> {
    load.look(|counts| counts.last.clear());
    let good = eventually("a reply", || load.look(newest))?;
    place.spec(&spec(value))?;
    let deploy = place.start(&["deploy"])?;
    let bad = eventually("the new release", || {
        load.look(newest).filter(|release| *release != good)
    })?;
    let baking = Instant::now();
    eventually("a while of bake", || {
        (baking.elapsed() > BAKED).then_some(())
    })?;
    let began = Instant::now();
    let ran = place.run(&["rollback"])?.ends_well()?;
    deploy.wait()?;
    let gone = load.look(|counts| counts.last.get(&bad).copied());
    let gone = gone.context("the bad release never answered")?;
    Ok((millis(gone.duration_since(began)), millis(ran.took)))
}

fn newest(counts: &mut Counts) -> Option<String> {
    let newest = counts.last.iter().max_by_key(|(_, at)| **at);
    newest.map(|(release, _)| release.clone())
}

/// The median until the last bad reply.
fn shown(gone: Vec<f64>, done: Vec<f64>) -> f64 {
    let [gone, done] = [gone, done].map(Sample::from_iter);
    let rows = [("last bad reply", &gone), ("command ended", &done)];
    times("after `agentctl rollback`", &rows);
    gone.median()
}
