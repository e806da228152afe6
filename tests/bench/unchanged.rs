//! How long commands take that change nothing: what people wait for all day.

use std::process::Command;

use anyhow::{Context, Result};

use crate::place::{Place, Ran, Spec, finish, repository};
use crate::stats::{Sample, millis};
use crate::table::{Finding, Table, amount};

const RUNS: usize = 30;

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let spec = Spec {
        replicas: 3,
        ..Spec::default()
    };
    let place = Place::with(&spec)?;
    let mut table = Table::new(&["command", "median", "p95", "runs"]);
    let mut found = Vec::new();
    for (name, goal, command) in [
        ("deploy of nothing new", 50.0, place.command(&["deploy"])),
        ("check", 10.0, quickstart(&place, "check")),
        ("plan", 10.0, quickstart(&place, "plan")),
    ] {
        let times = times(command).with_context(|| format!("could not run {name}"))?;
        table.row([
            name.to_owned(),
            amount(times.median(), "ms"),
            amount(times.quantile(0.95), "ms"),
            times.count().to_string(),
        ]);
        found.push(Finding::at_most(name, times.median(), goal, "ms"));
    }
    table.print();
    Ok(found)
}

/// The example that users see first.
fn quickstart(place: &Place, verb: &str) -> Command {
    let mut command = place.command(&[verb]);
    command.current_dir(repository().join("examples/quickstart"));
    command
}

/// A new process each time.
fn times(mut command: Command) -> Result<Sample> {
    let once = |_| {
        let ran = finish(&mut command).and_then(Ran::ends_well)?;
        Ok(millis(ran.took))
    };
    (0..RUNS).map(once).collect()
}
