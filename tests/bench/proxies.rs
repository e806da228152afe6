//! The edge beside nginx and HAProxy: the same backend process behind each, the same load before
//! each, in turns.
//!
//! All of them run in this program's session: Linux (`sched_autogroup`) first shares the processors
//! among sessions and then among a session's threads, so that a proxy with a session of its own, or
//! with the load's, or with the backend's would be measured by its company.

mod config;
mod cpu;
mod wrk;

use std::env;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::place::{Place, Running, Spec, eventually, free_port, replicas};
use crate::stats::Sample;
use crate::table::{Finding, Table, amount, number};
use wrk::Measured;

const ROUNDS: usize = 7;

const EDGE: &str = "agentctl edge";
const NGINX: &str = "nginx";
const HAPROXY: &str = "haproxy";

/// A proxy, or the backend itself for comparison.
struct Contender {
    name: &'static str,
    port: u16,
    pids: Vec<u32>,
    measured: Vec<Measured>,
    /// Microseconds of processor time for each request.
    costs: Vec<f64>,
    /// What is stopped in the end; the place stops its own.
    _process: Option<Running>,
}

/// Its place is stopped first, and the edge ends with that.
struct Ground {
    place: Place,
    _edge: Running,
}

impl Ground {
    fn new() -> Result<Self> {
        let place = Place::new()?;
        place.spec(&Spec {
            role: "backend",
            ..Spec::default()
        })?;
        let _edge = edge_in_this_session(&place)?;
        place.run(&["deploy"])?.ends_well()?;
        Ok(Self { place, _edge })
    }
}

/// `deploy` would start one that leaves this session, which the leader of a group cannot.
fn edge_in_this_session(place: &Place) -> Result<Running> {
    let mut command = place.command(&["edge", "--state"]);
    command
        .arg(place.state())
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let edge = Running::new(command.spawn()?, Signal::KILL);
    eventually("the edge's socket", || {
        UnixStream::connect(place.state().join("edge.sock")).ok()
    })?;
    Ok(edge)
}

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let missing = [NGINX, HAPROXY, "wrk"]
        .into_iter()
        .find(|name| !is_here(name));
    if let Some(name) = missing {
        let why = format!("{name} is not installed");
        return Ok(vec![Finding::skipped("proxies", &why)]);
    }
    let ground = Ground::new()?;
    let mut contenders = contenders(&ground.place)?;
    for contender in &contenders {
        wrk::run(contender.port, 1)?;
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            contender.take_turn()?;
        }
    }
    show(&contenders);
    findings(&contenders)
}

fn is_here(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}

fn contenders(place: &Place) -> Result<Vec<Contender>> {
    let edge = place.edge()?;
    let backend = replicas(&edge).find_map(|replica| port(replica["address"].as_str()?));
    let backend = backend.context("the edge does not tell where its replica listens")?;
    let folder = place.project();
    let (nginx, haproxy) = (free_port()?, free_port()?);
    let conf = config::nginx(&folder, nginx, backend);
    let nginx_process = start(nginx_with(&folder, "proxy.conf", &conf)?, nginx)?;
    let conf = config::haproxy(haproxy, backend);
    let haproxy_process = start(haproxy_with(&folder, &conf)?, haproxy)?;
    Ok(vec![
        Contender::new(EDGE, place.port, vec![place.edge_pid()?]),
        Contender::started(NGINX, nginx, nginx_process),
        Contender::started(HAPROXY, haproxy, haproxy_process),
        Contender::new("backend, no proxy", backend, place.replica_pids()?),
    ])
}

fn port(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

fn nginx_with(folder: &Path, name: &str, conf: &str) -> Result<Command> {
    let file = folder.join(name);
    std::fs::write(&file, conf)?;
    let mut command = Command::new(NGINX);
    command.arg("-p").arg(folder).arg("-c").arg(file);
    Ok(command)
}

fn haproxy_with(folder: &Path, conf: &str) -> Result<Command> {
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, conf)?;
    let mut command = Command::new(HAPROXY);
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

/// Asked nicely in the end: nginx takes its workers along.
fn start(mut command: Command, port: u16) -> Result<Running> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running::new(command.spawn()?, Signal::TERM);
    eventually("a proxy's port", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    })?;
    Ok(running)
}

/// What a replica runs: nginx with one worker and a tiny reply, on `$PORT`.
pub(crate) fn become_backend() -> Result<()> {
    let folder = env::current_dir()?;
    let port = env::var("PORT")?.parse()?;
    let conf = config::backend(&folder, port);
    Err(nginx_with(&folder, "backend.conf", &conf)?.exec().into())
}

impl Contender {
    fn new(name: &'static str, port: u16, pids: Vec<u32>) -> Self {
        Self {
            name,
            port,
            pids,
            measured: Vec::new(),
            costs: Vec::new(),
            _process: None,
        }
    }

    fn started(name: &'static str, port: u16, process: Running) -> Self {
        let pids = cpu::family(process.id());
        Self {
            _process: Some(process),
            ..Self::new(name, port, pids)
        }
    }

    fn take_turn(&mut self) -> Result<()> {
        let before = cpu::seconds(&self.pids);
        let measured = wrk::run(self.port, 3)?;
        let cost = cpu::seconds(&self.pids) - before;
        self.costs.push(cost * 1e6 / measured.requests);
        self.measured.push(measured);
        Ok(())
    }

    /// How many times the other's rate, round by round: what else the machine does in a round meets
    /// both alike.
    fn beside(&self, other: &Self) -> f64 {
        let rounds = self.measured.iter().zip(&other.measured);
        let ratios: Sample = rounds.map(|(one, other)| one.rate / other.rate).collect();
        ratios.median()
    }

    fn sample(&self, figure: impl Fn(&Measured) -> f64) -> Sample {
        self.measured.iter().map(figure).collect()
    }
}

fn show(contenders: &[Contender]) {
    let head = [
        "proxy",
        "CPU a request",
        "requests/s",
        "from",
        "to",
        "p50",
        "p99",
        "from",
        "to",
        "errors",
    ];
    let mut table = Table::new(&head);
    for contender in contenders {
        let rate = contender.sample(|one| one.rate);
        let p50 = contender.sample(|one| one.p50);
        let p99 = contender.sample(|one| one.p99);
        let errors: u64 = contender.measured.iter().map(|one| one.errors).sum();
        let cost: Sample = contender.costs.iter().copied().collect();
        table.row([
            contender.name.to_owned(),
            amount(cost.median(), "µs"),
            number(rate.median().round()),
            number(rate.min().round()),
            number(rate.max().round()),
            amount(p50.median(), "ms"),
            amount(p99.median(), "ms"),
            number(p99.min()),
            number(p99.max()),
            errors.to_string(),
        ]);
    }
    table.print();
}

fn findings(contenders: &[Contender]) -> Result<Vec<Finding>> {
    let find = |name| {
        let mut all = contenders.iter();
        all.find(|one| one.name == name)
            .context("a contender is missing")
    };
    let (edge, nginx, haproxy) = (find(EDGE)?, find(NGINX)?, find(HAPROXY)?);
    let p99 = |one: &Contender| one.sample(|one| one.p99).median();
    Ok(vec![
        Finding::at_least("edge: requests/s", edge.beside(nginx), 1.0, "× nginx"),
        Finding::at_least("edge: requests/s", edge.beside(haproxy), 0.9, "× haproxy"),
        Finding::at_most("edge: p99", p99(edge), p99(nginx), "ms (nginx)"),
    ])
}
