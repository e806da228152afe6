//! Containers on the machine's engine, beside what their users would change them with otherwise.

mod compose;
mod engine;
mod swarm;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::changes::{self, SERIES, rollout_seconds};
use crate::engine::there_is_python;
use crate::load::{Counts, Load};
use crate::place::{Place, Spec, here};
use crate::rollback;
use crate::table::{Finding, Table, amount, say};

/// As often as agentctl changes its own.
const CHANGES: u64 = 20;
const REPLICAS: u32 = 10;
const AT_ONCE: u32 = 3;

pub(crate) fn measure_changes() -> Result<Vec<Finding>> {
    if !there_is_python() {
        return Ok(vec![Finding::skipped("hosts", "no engine")]);
    }
    let place = Place::on_a_host(&SERIES.spec(0, ""))?;
    let findings = changes::measure_in(&place, "hosts", &SERIES)?;
    let rivals = [compose::changes(CHANGES), swarm::changes(CHANGES)];
    for (name, counts) in ["docker-compose up -d", "docker service update"]
        .iter()
        .zip(rivals)
    {
        say(&format!("{CHANGES} changes by {name}:"));
        match counts {
            Ok((counts, served, took)) => changes::show_load(&counts, served, took),
            Err(error) => say(&format!("{error:#}\n")),
        }
    }
    Ok(findings)
}

/// What a crowd meets at this port while it is changed so.
fn under_load(
    port: u16,
    mut change: impl FnMut(u64) -> Result<()>,
    times: u64,
) -> Result<(Counts, u64, Duration)> {
    let load = Load::start(here(port), changes::CROWD);
    let began = Instant::now();
    (1..=times).try_for_each(&mut change)?;
    let took = began.elapsed();
    let served = load.look(|counts| counts.served);
    Ok((load.stop()?, served, took))
}

pub(crate) fn measure_rollback() -> Result<Vec<Finding>> {
    if !there_is_python() {
        return Ok(vec![Finding::skipped("hosts-rollback", "no engine")]);
    }
    let place = Place::on_a_host(&rollback::spec(0))?;
    rollback::measure_in(&place, rollback::KEPT, "hosts-rollback", 10, 300.0)
}

/// Rolling over replicas that are ready after a second, a quarter of them at once.
pub(crate) fn measure_rolling() -> Result<Vec<Finding>> {
    if !there_is_python() {
        return Ok(vec![Finding::skipped("hosts-rolling", "no engine")]);
    }
    let spec = |value| Spec {
        replicas: REPLICAS,
        value,
        ready_after: 1.0,
        rollout: "strategy = \"rolling\"\nmax_surge = 3\nmax_unavailable = 0",
        ..Spec::default()
    };
    let place = Place::on_a_host(&spec(0))?;
    place.spec(&spec(1))?;
    let ran = place.run(&["deploy", "--output", "json"])?.ends_well()?;
    let batches = f64::from(REPLICAS.div_ceil(AT_ONCE));
    let ours = rollout_seconds(&ran.stdout).context("the deploy told no time")?;
    drop(place);
    let bare = engine::batches(REPLICAS, AT_ONCE, 1.0)?.as_secs_f64();
    let mut table = Table::new(&["rolling 10 replicas, 3 at once", "took", "over the ideal"]);
    let mut row = |name: &str, seconds: f64| {
        table.row([
            name.to_owned(),
            amount(seconds, "s"),
            amount(seconds / batches, "×"),
        ]);
    };
    row("agentctl deploy", ours);
    row("docker run, the same batches", bare);
    match swarm::rolling(REPLICAS) {
        Ok(took) => row("docker service update", took.as_secs_f64()),
        Err(error) => say(&format!("docker service update: {error:#}")),
    }
    table.print();
    let over = Finding::at_most("hosts-rolling: over the ideal", ours / batches, 1.15, "×");
    let bare = Finding::at_most(
        "hosts-rolling: over the engine's own",
        ours / bare,
        1.15,
        "×",
    );
    Ok(vec![over, bare])
}
