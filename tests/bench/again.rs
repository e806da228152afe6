//! `agentctl push` of a tree that has not changed, with the image in the registry.

use anyhow::{Result, ensure};

use crate::place::{Place, Ran, finish};
use crate::registry::{RealRegistry, Wanted};
use crate::stats::{Sample, millis};
use crate::table::{Finding, Table, amount};
use crate::tree::{Tree, forget};

const RUNS: usize = 20;

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let registry = RealRegistry::start(Wanted::default());
    let mut table = Table::new(&[
        "push of nothing new",
        "median",
        "p95",
        "files remembered by nobody",
        "runs",
    ]);
    let mut found = Vec::new();
    for (name, files) in [("50 files", 50), ("20,000 files", 20_000)] {
        let image = format!("{}/figures/files-{files}", registry.host());
        let (times, cold) = times(files, &image)?;
        forget(&[&image]);
        table.row([
            name.to_owned(),
            amount(times.median(), "ms"),
            amount(times.quantile(0.95), "ms"),
            amount(cold, "ms"),
            times.count().to_string(),
        ]);
        let name = format!("push of nothing new, {name}");
        found.push(Finding::at_most(&name, times.median(), 150.0, "ms"));
    }
    table.print();
    Ok(found)
}

/// Of the unchanged ones, and of one that has to read all files again.
fn times(files: usize, image: &str) -> Result<(Sample, f64)> {
    let place = Place::new()?;
    let tree = Tree { files };
    tree.write(&place, Some(image))?;
    let push = |cache: &str| -> Result<Ran> {
        let mut command = place.command(&["push", "--output", "json"]);
        finish(command.env("XDG_CACHE_HOME", place.path(cache)))?.ends_well()
    };
    push("first")?;
    // Files that changed a moment ago are not remembered.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let cold = push("cache")?.took;
    let again = || -> Result<f64> {
        let ran = push("cache")?;
        ensure!(ran.stdout.contains("\"unchanged\""), "{}", ran.words());
        Ok(millis(ran.took))
    };
    let times = (0..RUNS).map(|_| again()).collect::<Result<Sample>>()?;
    Ok((times, millis(cold)))
}
