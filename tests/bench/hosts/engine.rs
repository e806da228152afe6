//! What the engine itself needs for the batches of a rolling rollout, with nothing between.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::compose::{Image, said};
use crate::engine::docker;
use crate::place::eventually;

const PORT: u16 = 8000;

/// Starts so many at once, waits until all of them are ready, and so on.
pub(super) fn batches(replicas: u32, at_once: u32, ready_after: f64) -> Result<Duration> {
    let image = Image::build("engine")?;
    let names: Vec<String> = (0..replicas)
        .map(|at| format!("{}-{at}", image.name))
        .collect();
    let began = Instant::now();
    let all = names
        .chunks(at_once as usize)
        .try_for_each(|batch| one(&image.name, batch, ready_after));
    let took = began.elapsed();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let _ = docker(&[&["rm", "-f"], names.as_slice()].concat());
    all.map(|()| took)
}

fn one(image: &str, batch: &[String], ready_after: f64) -> Result<()> {
    let start = |name: &String| -> Result<Child> {
        let after = format!("READY_AFTER={ready_after}");
        let port = format!("PORT={PORT}");
        let mut command = Command::new("docker");
        command
            .args(["run", "--detach", "--name", name])
            .args(["--env", &after, "--env", &port, image])
            .stdout(Stdio::null());
        Ok(command.spawn()?)
    };
    let started: Vec<Child> = batch.iter().map(start).collect::<Result<_>>()?;
    for mut child in started {
        child.wait()?;
    }
    batch.iter().try_for_each(|name| {
        let ip = said(docker(&[
            "inspect",
            "--format={{.NetworkSettings.IPAddress}}",
            name,
        ]))?;
        let ready = || is_ready(&ip).ok().filter(|ready| *ready);
        eventually("a ready container", ready).map(drop)
    })
}

fn is_ready(ip: &str) -> Result<bool> {
    let mut stream = TcpStream::connect((ip, PORT))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let status = reply.split(' ').nth(1).context("no status")?;
    Ok(status == "200")
}
