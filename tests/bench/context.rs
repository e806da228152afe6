//! A large context on its way to the Docker engine, beside `docker build`'s own; and what looking
//! for secrets takes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;
use rustix::process::Signal;

use crate::door::Door;
use crate::place::{Place, Ran, Running, eventually, finish};
use crate::stats::{Sample, millis};
use crate::table::{Finding, Table, amount, number};
use crate::tree::{Tree, change, forget};

const ROUNDS: usize = 10;
const TREE: Tree = Tree { files: 20_000 };

/// `docker` with a BuildKit client of its own; where there is none, any.
const DOCKERS: [&str; 1] = ["/usr/bin/docker"];

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let mut site = Site::new()?;
    let mut table = Table::new(&[
        "start to last byte",
        "docker build",
        "agentctl build",
        "ratio",
        "from",
        "to",
    ]);
    let mut found = Vec::new();
    for (name, builder) in [("classic builder", "0"), ("BuildKit", "1")] {
        let rounds = (0..ROUNDS)
            .map(|round| site.round(builder, round % 2 == 0))
            .collect::<Result<Vec<_>>>()?;
        let theirs: Sample = rounds.iter().map(|(theirs, _)| *theirs).collect();
        let ours: Sample = rounds.iter().map(|(_, ours)| *ours).collect();
        let ratio: Sample = rounds.iter().map(|(theirs, ours)| ours / theirs).collect();
        table.row([
            name.to_owned(),
            amount(theirs.median(), "ms"),
            amount(ours.median(), "ms"),
            number(ratio.median()),
            number(ratio.min()),
            number(ratio.max()),
        ]);
        found.push(Finding::at_most(
            &format!("context, {name}"),
            ratio.median(),
            1.0,
            "× docker build",
        ));
        let memory = site.memory(builder)?;
        found.push(Finding::at_most(
            &format!("memory, {name}"),
            memory,
            50.0,
            "MB",
        ));
        if builder == "0" {
            found.push(scan(ours.median())?);
        }
    }
    table.print();
    Ok(found)
}

struct Site {
    place: Place,
    door: Door,
    folder: PathBuf,
    run: u32,
}

impl Site {
    fn new() -> Result<Self> {
        let place = Place::new()?;
        TREE.write(&place, None)?;
        Ok(Self {
            door: Door::open(&place.path("docker.sock"))?,
            folder: place.project(),
            run: 0,
            place,
        })
    }

    /// Milliseconds of docker and of agentctl, who take turns in being first.
    fn round(&mut self, builder: &str, theirs_first: bool) -> Result<(f64, f64)> {
        if theirs_first {
            return Ok((self.timed(builder, docker)?, self.timed(builder, build)?));
        }
        let ours = self.timed(builder, build)?;
        Ok((self.timed(builder, docker)?, ours))
    }

    /// With nothing left to write of what was before.
    fn timed(&mut self, builder: &str, client: fn(&Place, &Path) -> Command) -> Result<f64> {
        let mut command = self.fresh(builder, client)?;
        rustix::fs::sync();
        let started = Instant::now();
        finish(&mut command).and_then(Ran::ends_well)?;
        let brought = self.door.most(TREE.sent())?;
        Ok(millis(brought.last - started))
    }

    /// A tree that nobody has seen: with another file, and in another place.
    fn fresh(&mut self, builder: &str, client: fn(&Place, &Path) -> Command) -> Result<Command> {
        self.run += 1;
        let folder = self.place.path(&format!("run-{}", self.run));
        fs::rename(&self.folder, &folder)?;
        change(&folder, &format!("{} {folder:?}", std::process::id()))?;
        let mut command = client(&self.place, &folder);
        command.env("DOCKER_HOST", self.door.address());
        command.env("DOCKER_BUILDKIT", builder).current_dir(&folder);
        self.folder = folder;
        Ok(command)
    }

    /// The most that agentctl held, in megabytes.
    fn memory(&mut self, builder: &str) -> Result<f64> {
        let child = self.fresh(builder, build)?.spawn()?;
        let mut running = Running::new(child, Signal::KILL);
        let status = format!("/proc/{}/status", running.id());
        let mut most = 0.0;
        eventually("the end of a build", || {
            most = high_water(&status).unwrap_or(most);
            running.is_over().then_some(())
        })?;
        running.wait()?.ends_well()?;
        self.door.most(TREE.sent())?;
        Ok(most)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        forget(&["figures-agent", "figures-docker"]);
    }
}

fn high_water(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1.024 / 1000.0)
}

fn build(place: &Place, _: &Path) -> Command {
    let mut command = place.command(&["build"]);
    command.env("XDG_CACHE_HOME", place.path("cache"));
    command
}

/// By its whole path, or BuildKit would take it for the folder of the round before and send only what
/// has changed.
fn docker(_: &Place, folder: &Path) -> Command {
    let found = DOCKERS.iter().find(|path| Path::new(path).exists());
    let mut command = Command::new(found.unwrap_or(&"docker"));
    command.args(["build", "--quiet", "--tag", "figures-docker"]);
    command.arg(folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Beside reading and hashing, which would be there without it: so this is the most that it can add.
fn scan(until_last: f64) -> Result<Finding> {
    let place = Place::new()?;
    TREE.write(&place, None)?;
    let looked = || -> Result<f64> {
        let mut command = place.command(&["images", "scan"]);
        command.env("XDG_CACHE_HOME", "/dev/null");
        Ok(millis(finish(&mut command)?.ends_well()?.took))
    };
    let all: Sample = (0..ROUNDS).map(|_| looked()).collect::<Result<_>>()?;
    let mut table = Table::new(&["looked through", "median", "runs"]);
    table.row([
        "images scan".to_owned(),
        amount(all.median(), "ms"),
        all.count().to_string(),
    ]);
    table.print();
    let share = all.median() / (until_last - all.median()) * 100.0;
    Ok(Finding::at_most(
        "the scan, with reading and hashing, adds",
        share,
        20.0,
        "%",
    ))
}
