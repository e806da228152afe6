//! Figures of the real binary, measured from outside like a user would meet them.
//!
//! `cargo bench --bench figures` prints all of them, `cargo bench --bench figures -- NAME…` some.
//! Everything is on 127.0.0.1 and in folders that are removed again. Nothing here passes or fails:
//! each figure is printed beside its goal.

mod again;
mod agent;
mod breach;
mod changes;
mod clone;
#[path = "../support/cluster.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::panic)]
mod cluster;
mod clusters;
mod context;
mod door;
mod edge_kill;
#[path = "../support/engine.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::panic)]
mod engine;
mod first_deploy;
mod hosts;
mod image_kills;
mod judges;
mod kills;
mod load;
mod place;
mod proxies;
#[path = "../support/registry.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::panic)]
mod registry;
mod render;
mod rollback;
mod stats;
mod table;
mod tree;
mod unchanged;

use anyhow::{Result, bail};

use place::repository;
use table::{Finding, heading, summary};

struct Figure {
    name: &'static str,
    measure: fn() -> Result<Vec<Finding>>,
    /// Too long, or too much of a burden, to be measured unasked.
    only_by_name: bool,
}

const fn figure(name: &'static str, measure: fn() -> Result<Vec<Finding>>) -> Figure {
    Figure {
        name,
        measure,
        only_by_name: false,
    }
}

const FIGURES: [Figure; 22] = [
    figure("unchanged", unchanged::measure),
    figure("render", render::measure),
    figure("first-deploy", first_deploy::measure),
    figure("rollback", rollback::measure),
    figure("breach", breach::measure),
    figure("changes", changes::measure),
    figure("edge-kill", edge_kill::measure),
    figure("kills", kills::measure),
    figure("proxies", proxies::measure),
    figure("context", context::measure),
    figure("push", again::measure),
    figure("image-kills", image_kills::measure),
    figure("judges", judges::measure),
    figure("hosts", hosts::measure_changes),
    figure("hosts-rollback", hosts::measure_rollback),
    figure("hosts-rolling", hosts::measure_rolling),
    figure("clusters", clusters::measure_changes),
    figure("clusters-rollback", clusters::measure_rollback),
    figure("clusters-breach", clusters::measure_breach),
    figure("clusters-rolling", clusters::measure_rolling),
    figure("clusters-requests", clusters::measure_requests),
    Figure {
        only_by_name: true,
        ..figure("clone", clone::measure)
    },
];

fn main() -> Result<()> {
    // Cargo adds `--bench` by itself.
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    match words.first().map(String::as_str) {
        Some("agent") => agent::serve(),
        Some("backend") => proxies::become_backend(),
        _ => print(&wanted(&words)?),
    }
}

fn wanted(names: &[String]) -> Result<Vec<&'static Figure>> {
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        let known = FIGURES.map(|figure| figure.name).join(", ");
        bail!("there is no figure \"{unknown}\"; there are {known}");
    }
    Ok(match names.is_empty() {
        true => FIGURES.iter().filter(|one| !one.only_by_name).collect(),
        false => names.iter().filter_map(|name| find(name)).collect(),
    })
}

fn find(name: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|figure| figure.name == name)
}

fn print(figures: &[&Figure]) -> Result<()> {
    let mut findings = Vec::new();
    for figure in figures {
        heading(figure.name);
        match (figure.measure)() {
            Ok(found) => findings.extend(found),
            Err(error) => findings.push(Finding::broken(figure.name, &error)),
        }
    }
    summary(&findings);
    Ok(())
}
