//! `kill -9` of the edge: any command brings it back, and the replicas never notice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::place::{Place, Spec, eventually, is_alive, kill};
use crate::stats::{Sample, millis};
use crate::table::{Finding, Table, amount};

const RUNS: usize = 5;

struct Revival {
    serves: f64,
    same_replicas: bool,
}

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let place = Place::with(&Spec {
        replicas: 3,
        ..Spec::default()
    })?;
    let runs = (0..RUNS).map(|_| revive(&place));
    let runs = runs.collect::<Result<Vec<_>>>()?;
    let times: Sample = runs.iter().map(|run| run.serves).collect();
    let kept = runs.iter().filter(|run| run.same_replicas).count();
    let mut table = Table::new(&["after `agentctl status`", "median", "max", "replicas kept"]);
    table.row([
        "serves again".to_owned(),
        amount(times.median(), "ms"),
        amount(times.max(), "ms"),
        format!("{kept} of {RUNS}"),
    ]);
    table.print();
    Ok(vec![
        Finding::exactly("edge killed: replicas kept", kept as u64, RUNS as u64),
        Finding::at_most("edge killed: serves again", times.median(), 1000.0, "ms"),
    ])
}

fn revive(place: &Place) -> Result<Revival> {
    let before = place.replica_pids()?;
    let edge = place.edge_pid()?;
    kill(edge)?;
    eventually("the edge's end", || (!is_alive(edge)).then_some(()))?;
    let began = Instant::now();
    place.run(&["status"])?.ends_well()?;
    eventually("a reply", || answers(place.port))?;
    Ok(Revival {
        serves: millis(began.elapsed()),
        same_replicas: place.replica_pids()? == before,
    })
}

fn answers(port: u16) -> Option<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    reply.starts_with("HTTP/1.1 200").then_some(())
}
