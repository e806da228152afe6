//! A service of Swarm, started first and then stopped; the engine has to be a node already.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::compose::{Image, answers, said};
use super::under_load;
use crate::engine::docker;
use crate::load::Counts;
use crate::place::free_port;

/// It goes when it is dropped.
struct Service(Image);

impl Service {
    /// Published where it is to be reached.
    fn start(port: u16, replicas: u32, ready_after: f64, published: bool) -> Result<Self> {
        let active = said(docker(&["info", "--format={{.Swarm.LocalNodeState}}"]))?;
        if active != "active" {
            bail!("not measured: the engine is no node of a swarm (docker swarm init)");
        }
        let service = Self(Image::build("swarm")?);
        let name = &service.0.name;
        let ready = format!(
            "python3 -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/ready')\""
        );
        let (port_env, after) = (format!("PORT={port}"), format!("READY_AFTER={ready_after}"));
        let publish = format!("published={port},target={port}");
        let replicas = replicas.to_string();
        let mut args = vec!["service", "create", "--quiet", "--name", name];
        args.extend(["--replicas", &replicas]);
        if published {
            args.extend(["--publish", &publish]);
        }
        args.extend([
            "--env",
            &port_env,
            "--env",
            &after,
            "--env",
            "AGENT_RELEASE=r0",
        ]);
        args.extend([
            "--update-order",
            "start-first",
            "--stop-grace-period",
            "10s",
        ]);
        args.extend(["--update-parallelism", "3", "--update-delay", "0s"]);
        args.extend(["--update-monitor", "1s"]);
        args.extend(["--health-cmd", &ready, "--health-interval", "1s"]);
        args.extend(["--no-resolve-image", name]);
        said(docker(&args))?;
        Ok(service)
    }

    fn change(&self, value: u64) -> Result<()> {
        let release = format!("AGENT_RELEASE=r{value}");
        let args = [
            "service",
            "update",
            "--quiet",
            "--env-add",
            &release,
            &self.0.name,
        ];
        said(docker(&args)).map(drop)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = docker(&["service", "rm", &self.0.name]);
    }
}

pub(super) fn changes(times: u64) -> Result<(Counts, u64, Duration)> {
    let port = free_port()?;
    let service = Service::start(port, 3, 0.0, true)?;
    // A network of Swarm's own, made with the first service that is published.
    if !Path::new("/proc/net/ip_vs").exists() {
        bail!("not measured: this kernel has no IPVS, without which Swarm publishes nothing");
    }
    answers(port)?;
    under_load(port, |value| service.change(value), times)
}

pub(super) fn rolling(replicas: u32) -> Result<Duration> {
    let service = Service::start(free_port()?, replicas, 1.0, false)?;
    let began = Instant::now();
    service.change(1)?;
    Ok(began.elapsed())
}
