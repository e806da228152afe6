//! Rollouts in a cluster, beside what Kubernetes does by itself. The load goes to the agent's Service,
//! which chooses a pod for each connection: a connection that is kept stays where it is.

mod native;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::breach;
use crate::changes::{self, Series};
use crate::cluster::{Namespace, cluster};
use crate::load::{Crowd, Load};
use crate::place::{Place, Spec};
use crate::rollback;
use crate::stats::Sample;
use crate::table::{Finding, Table, amount, say};

/// As many as shares of 20 and 50 per cent want.
const REPLICAS: u32 = 4;
const CROWD: Crowd = Crowd {
    connections: 16,
    newcomers: 8,
    streams: 20,
    conversations: 0,
};
const SERIES: Series = Series {
    replicas: REPLICAS,
    rounds: 3,
    steps: "[{ weight = 20, hold = \"1s\" }, { weight = 50, hold = \"1s\" }, { weight = 100 }]",
    crowd: CROWD,
};
const ROLLING: &str = "strategy = \"rolling\"\nmax_surge = 1\nmax_unavailable = 0";
const RUNS: u64 = 3;
const CANARY: &str = "strategy = \"canary\"\n\
    steps = [{ weight = 20, hold = \"1s\" }, { weight = 50, hold = \"1s\" }, { weight = 100 }]";

/// Where a Service answers from this machine.
pub(crate) fn address(namespace: &Namespace, service: &str) -> Result<SocketAddr> {
    let address = namespace.cluster.address(&namespace.name, service);
    address.context("the cluster's Services are not reached from here")
}

fn skipped(figure: &str) -> Vec<Finding> {
    vec![Finding::skipped(figure, "no cluster")]
}

pub(crate) fn measure_changes() -> Result<Vec<Finding>> {
    let Some(place) = Place::in_a_cluster(&SERIES.spec(0, ""))? else {
        return Ok(skipped("clusters"));
    };
    let findings = changes::measure_in(&place, "clusters", &SERIES)?;
    let native = native::Workload::start(&place, REPLICAS, "")?;
    let load = Load::start(native.address()?, CROWD);
    let times = SERIES.changes();
    let began = Instant::now();
    let changed = (1..=times).try_for_each(|value| native.change(value).map(drop));
    let took = began.elapsed();
    let served = load.look(|counts| counts.served);
    let counts = load.stop()?;
    changed?;
    say(&format!(
        "{times} changes by kubectl set env and rollout status:"
    ));
    changes::show_load(&counts, served, took);
    Ok(findings)
}

/// Over as many pods, which are ready after a second, as a Deployment of the same pods takes by itself;
/// one of pods that are asked for nothing but whether they are ready is beside it.
pub(crate) fn measure_rolling() -> Result<Vec<Finding>> {
    let spec = |value| Spec {
        replicas: REPLICAS,
        value,
        ready_after: 1.0,
        rollout: ROLLING,
        ..Spec::default()
    };
    let Some(place) = Place::in_a_cluster(&spec(0))? else {
        return Ok(skipped("clusters-rolling"));
    };
    let native = native::Workload::start(&place, REPLICAS, "1")?;
    let same = native::Workload::of_the_same(&place, REPLICAS)?;
    let mut rounds = Vec::new();
    for value in 1..=RUNS {
        let plain = native.change(value)?.as_secs_f64();
        let theirs = same.change(value)?.as_secs_f64();
        place.spec(&spec(value))?;
        let ran = place.run(&["deploy", "--output", "json"])?.ends_well()?;
        let ours = changes::rollout_seconds(&ran.stdout).context("the deploy told no time")?;
        rounds.push((ours, theirs, plain));
    }
    let mut table = Table::new(&["rolling 4 pods, one more at once", "median", "max"]);
    let mut row = |name: &str, times: Sample| {
        let cells = [
            name.to_owned(),
            amount(times.median(), "s"),
            amount(times.max(), "s"),
        ];
        table.row(cells);
    };
    row(
        "agentctl deploy",
        rounds.iter().map(|(ours, ..)| *ours).collect(),
    );
    row(
        "a Deployment of the same pods",
        rounds.iter().map(|(_, theirs, _)| *theirs).collect(),
    );
    row(
        "a Deployment of plain pods",
        rounds.iter().map(|(.., plain)| *plain).collect(),
    );
    table.print();
    let ratio: Sample = rounds
        .iter()
        .map(|(ours, theirs, _)| ours / theirs)
        .collect();
    let goal = Finding::at_most(
        "clusters-rolling: over the Deployment's own",
        ratio.median(),
        1.1,
        "×",
    );
    Ok(vec![goal])
}

/// A connection that is kept stays with its pod until that leaves, whatever the Service says.
const NEW: Crowd = Crowd {
    connections: 0,
    newcomers: 2,
    streams: 0,
    conversations: 0,
};

pub(crate) fn measure_rollback() -> Result<Vec<Finding>> {
    match Place::in_a_cluster(&rollback::spec(0))? {
        Some(place) => rollback::measure_in(&place, NEW, "clusters-rollback", 5, 1000.0),
        None => Ok(skipped("clusters-rollback")),
    }
}

pub(crate) fn measure_breach() -> Result<Vec<Finding>> {
    match Place::in_a_cluster(&breach::spec(0))? {
        Some(place) => breach::measure_in(&place, "clusters-breach", 5, 2000.0),
        None => Ok(skipped("clusters-breach")),
    }
}

/// What a canary over three steps asks of the API, as its audit log has it.
pub(crate) fn measure_requests() -> Result<Vec<Finding>> {
    let spec = |value| Spec {
        replicas: REPLICAS,
        value,
        rollout: CANARY,
        ..Spec::default()
    };
    let Some(place) = Place::in_a_cluster(&spec(0))? else {
        return Ok(skipped("clusters-requests"));
    };
    let namespace = &place.namespace()?.name;
    let before = asked(namespace)?.len();
    place.spec(&spec(1))?;
    place.run(&["deploy"])?.ends_well()?;
    let asked = asked(namespace)?.split_off(before);
    let mut kinds = std::collections::BTreeMap::<&str, u64>::new();
    for what in &asked {
        *kinds.entry(what).or_default() += 1;
    }
    let mut table = Table::new(&["asked of the API", "times"]);
    kinds
        .iter()
        .for_each(|(what, times)| table.row([(*what).to_owned(), times.to_string()]));
    table.print();
    Ok(vec![Finding::at_most(
        "clusters-requests",
        asked.len() as f64,
        60.0,
        "",
    )])
}

/// Verb and kind of each request of agentctl's so far, there and of no namespace. The log tells of a watch twice: when it begins
/// and when it ends.
fn asked(namespace: &str) -> Result<Vec<String>> {
    let cluster = cluster().context("no cluster")?;
    let log = std::fs::read_to_string(cluster.folder().join("log/audit.log"))?;
    let events = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ours = events.filter(|event| {
        let agent = event["userAgent"].as_str().unwrap_or_default();
        let of = event["objectRef"]["namespace"].as_str();
        let is_here = of.is_none_or(|of| of == namespace);
        agent.starts_with("agentctl") && is_here && event["stage"] != "RequestReceived"
    });
    let mut told = std::collections::BTreeSet::new();
    Ok(ours
        .filter(|event| told.insert(event["auditID"].to_string()))
        .map(|event| {
            let kind = event["objectRef"]["resource"].as_str();
            let kind = kind.or(event["requestURI"].as_str()).unwrap_or_default();
            format!("{} {kind}", event["verb"].as_str().unwrap_or_default())
        })
        .collect())
}
