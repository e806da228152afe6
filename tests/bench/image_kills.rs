//! `kill -9` of agentctl in the middle of a build and of a push, then the same again: what has a
//! tag is whole, and in the end the registry has the image that was asked for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::place::{Place, Ran};
use crate::registry::{RealRegistry, Wanted};
use crate::table::{Finding, Table, say};
use crate::tree::{Tree, change, forget};

const KILLS: u32 = 10;
/// Enough that every moment of a build and of a push is met.
const TREE: Tree = Tree { files: 2000 };
const NAME: &str = "figures/killed";
const KINDS: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";

pub(crate) fn measure() -> Result<Vec<Finding>> {
    let registry = RealRegistry::start(Wanted::default());
    let host = registry.host();
    let mut table = Table::new(&[
        "killed in",
        "kills",
        "too late",
        "half-tagged",
        "right in the end",
    ]);
    let mut found = Vec::new();
    for (name, builder, verb) in [
        ("build, classic builder", "0", "build"),
        ("build, BuildKit", "1", "build"),
        ("push", "1", "push"),
    ] {
        let kills = kills(&host, builder, verb)?;
        let count = |is: fn(&Kill) -> bool| kills.iter().filter(|kill| is(kill)).count();
        let (torn, right) = (count(|kill| kill.is_torn), count(|kill| kill.is_right));
        let late: u32 = kills.iter().map(|kill| kill.late).sum();
        table.row([
            name.to_owned(),
            kills.len().to_string(),
            late.to_string(),
            torn.to_string(),
            right.to_string(),
        ]);
        found.push(Finding::exactly(
            &format!("killed in {name}: half-tagged"),
            torn as u64,
            0,
        ));
        found.push(Finding::exactly(
            &format!("killed in {name}: right in the end"),
            right as u64,
            KILLS.into(),
        ));
    }
    table.print();
    Ok(found)
}

struct Kill {
    /// How often it had ended already, and was begun anew to be killed sooner.
    late: u32,
    is_torn: bool,
    is_right: bool,
}

fn kills(host: &str, builder: &str, verb: &str) -> Result<Vec<Kill>> {
    let image = format!("{host}/{NAME}-{verb}-{builder}");
    let site = Site {
        place: Place::new()?,
        builder: builder.to_owned(),
        host: host.to_owned(),
        image,
    };
    TREE.write(&site.place, Some(&site.image))?;
    // The first has to do more than the others.
    site.prepared("first", verb).and_then(|()| site.run(verb))?;
    let whole = site.prepared("0", verb).and_then(|()| site.run(verb))?.took;
    say(&format!(
        "{verb} with {builder} takes {whole:?} when nobody kills it"
    ));
    (1..=KILLS)
        .map(|at| site.kill(verb, at, whole * (2 * at - 1) / (2 * KILLS)))
        .collect()
}

struct Site {
    place: Place,
    builder: String,
    host: String,
    image: String,
}

impl Drop for Site {
    fn drop(&mut self) {
        forget(&[&self.image]);
    }
}

impl Site {
    fn command(&self, verb: &str) -> Command {
        let mut command = self.place.command(&[verb, "--output", "json"]);
        command
            .env("XDG_CACHE_HOME", self.place.path("cache"))
            .env("DOCKER_BUILDKIT", &self.builder);
        command
    }

    fn run(&self, verb: &str) -> Result<Ran> {
        crate::place::finish(&mut self.command(verb))?.ends_well()
    }

    /// With another tree; what is pushed was built.
    fn prepared(&self, value: &str, verb: &str) -> Result<()> {
        change(&self.place.project(), &format!("{value} of {}", self.image))?;
        match verb {
            "push" => self.run("build").map(drop),
            _ => Ok(()),
        }
    }

    /// In the middle, however often that takes.
    fn kill(&self, verb: &str, at: u32, mut after: Duration) -> Result<Kill> {
        for late in 0.. {
            let value = format!("{at}.{late}");
            self.prepared(&value, verb)?;
            if self.was_killed(verb, after)? {
                return self.judge(&value, late, after);
            }
            after = after * 3 / 4;
        }
        bail!("it was never killed")
    }

    fn was_killed(&self, verb: &str, after: Duration) -> Result<bool> {
        let mut child = self.command(verb).stdout(Stdio::null()).spawn()?;
        thread::sleep(after);
        let is_over = child.try_wait()?.is_some();
        child.kill()?;
        child.wait()?;
        Ok(!is_over)
    }

    fn judge(&self, value: &str, late: u32, after: Duration) -> Result<Kill> {
        let is_torn = !self.all_whole()?;
        let pushed = self.run("push")?;
        let is_right = self.is_right(value, &pushed)? && self.all_whole()?;
        if is_torn || !is_right {
            say(&format!("killed after {after:?}: {}", pushed.words()));
        }
        Ok(Kill {
            late,
            is_torn,
            is_right,
        })
    }

    /// The digest that was told is the registry's by the content tag, and holds the last value.
    fn is_right(&self, value: &str, pushed: &Ran) -> Result<bool> {
        let last = pushed.stdout.lines().last().context("push says nothing")?;
        let result = &serde_json::from_str::<Value>(last)?["result"];
        let digest = result["digest"].as_str().context("push names no digest")?;
        let content = result["tags"][0].as_str().context("push names no tag")?;
        let (head, _) = self.ask("HEAD", &format!("manifests/{content}"))?;
        Ok(head.contains(digest) && self.by_digest(digest, value)?)
    }

    fn by_digest(&self, digest: &str, value: &str) -> Result<bool> {
        let image = format!("{}@{digest}", self.image);
        docker(&["pull", "--quiet", &image])?;
        let id = docker(&["create", &image, "/agent"])?;
        let copied = docker(&["cp", &format!("{}:/value", id.trim()), "-"]);
        docker(&["rm", id.trim()])?;
        Ok(copied?.contains(&format!("{value} of {}", self.image)))
    }

    /// Whatever has a tag, in the engine and in the registry, is there with all of its parts.
    fn all_whole(&self) -> Result<bool> {
        let tags = docker(&["images", "--format", "{{.Tag}}", &self.image])?;
        for tag in tags.lines().filter(|tag| *tag != "<none>") {
            if !can_be_saved(&format!("{}:{tag}", self.image))? {
                return Ok(false);
            }
        }
        let (status, listed) = self.ask("GET", "tags/list")?;
        if status.contains(" 404 ") {
            return Ok(true);
        }
        let listed: Value = serde_json::from_str(&listed)?;
        for tag in listed["tags"].as_array().into_iter().flatten() {
            if !self.is_whole(tag.as_str().context("a tag is no text")?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_whole(&self, tag: &str) -> Result<bool> {
        let manifest = self.ask("GET", &format!("manifests/{tag}"))?.1;
        let manifest: Value = serde_json::from_str(&manifest)?;
        let layers = manifest["layers"].as_array().into_iter().flatten();
        for part in layers.chain([&manifest["config"]]) {
            let digest = part["digest"].as_str().context("a part has no digest")?;
            let (head, _) = self.ask("HEAD", &format!("blobs/{digest}"))?;
            if !head.starts_with("HTTP/1.0 200") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Head and body of what the registry answers.
    fn ask(&self, method: &str, what: &str) -> Result<(String, String)> {
        let name = self.image.split_once('/').context("no name")?.1;
        let mut stream = TcpStream::connect(&self.host)?;
        write!(
            stream,
            "{method} /v2/{name}/{what} HTTP/1.0\r\nHost: {}\r\nAccept: {KINDS}\r\n\r\n",
            self.host
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        Ok((head.to_owned(), body.to_owned()))
    }
}

fn can_be_saved(image: &str) -> Result<bool> {
    let mut save = Command::new("docker");
    let save = save.args(["save", image]).stdout(Stdio::null());
    Ok(save.stderr(Stdio::null()).status()?.success())
}

fn docker(args: &[&str]) -> Result<String> {
    let ran = Command::new("docker").args(args).output()?;
    ensure!(
        ran.status.success(),
        "docker: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
