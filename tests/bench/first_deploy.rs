//! The first deploy of ten replicas that take a second to get ready: what agentctl adds to it.

use anyhow::Result;

use crate::place::{Place, Spec};
use crate::stats::Sample;
use crate::table::{Finding, Table, amount};

const RUNS: usize = 5;

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let times = (0..RUNS).map(|_| seconds()).collect::<Result<Sample>>()?;
    let mut table = Table::new(&[
        "10 replicas, ready after 1 s",
        "median",
        "min",
        "max",
        "runs",
    ]);
    table.row([
        "deploy".to_owned(),
        amount(times.median(), "s"),
        amount(times.min(), "s"),
        amount(times.max(), "s"),
        times.count().to_string(),
    ]);
    table.print();
    let name = "first deploy, 10 replicas";
    Ok(vec![Finding::at_most(name, times.median(), 1.15, "s")])
}

fn seconds() -> Result<f64> {
    let place = Place::new()?;
    place.spec(&Spec {
        replicas: 10,
        ready_after: 1.0,
        ..Spec::default()
    })?;
    let ran = place.run(&["deploy"])?.ends_well()?;
    Ok(ran.took.as_secs_f64())
}
