//! An agent whose image is one small layer, a registry of its own, and the real binary between
//! them and the machine's engine.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use crate::support::registry::{RealRegistry, Wanted};
use crate::support::{Background, Place, Ran, engine};

/// Only what a test writes as `text` is in the image.
const IGNORE: &str = "*\n!text\n";
const DOCKERFILE: &str = "FROM scratch\nCOPY text /\n";

pub(crate) struct Workshop {
    pub(crate) place: Place,
    pub(crate) registry: RealRegistry,
    /// Where the registry is reached: `127.0.0.1:PORT`.
    pub(crate) host: String,
}

impl Workshop {
    /// `None`: there is no engine, and the test has to end. `more` goes into agent.toml.
    pub(crate) fn open(wanted: Wanted, more: &str) -> Option<Self> {
        engine::there_is_an_engine().then(|| Self::at(RealRegistry::start(wanted), more))
    }

    pub(crate) fn at(registry: RealRegistry, more: &str) -> Self {
        let mut place = Place::empty();
        place.port = registry.port();
        let host = registry.host();
        let shop = Self {
            place,
            registry,
            host,
        };
        shop.spec(more);
        shop.place.write(".dockerignore", IGNORE);
        shop.place.write("Dockerfile", DOCKERFILE);
        shop.place.write("text", shop.unique(0));
        shop
    }

    pub(crate) fn spec(&self, more: &str) {
        let repository = self.repository();
        let usual = format!(
            "agent.name = \"bot\"\nrun.command = [\"true\"]\nbuild.runtime = \"dockerfile\"\n\
             image.repository = \"{repository}\"\n"
        );
        self.place.write("agent.toml", usual + more);
    }

    pub(crate) fn repository(&self) -> String {
        format!("{}/team/bot", self.host)
    }

    /// A text that no other run has: nothing of it is in a cache.
    pub(crate) fn unique(&self, number: usize) -> String {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        format!("{number} at {} ns\n", at.as_nanos())
    }

    /// Docker's settings are those that the test writes into `home/.docker`.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        let path = env::var("PATH").unwrap();
        let own = self.place.path("bin");
        command
            .env("HOME", self.home())
            .env("PATH", format!("{}:{path}", own.display()));
        for name in ["DOCKER_CONFIG", "DOCKER_BUILDKIT"] {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.place.path("home")
    }

    /// Docker's settings of whoever runs it.
    pub(crate) fn docker_config(&self, config: &serde_json::Value) {
        self.place
            .write("home/.docker/config.json", config.to_string());
    }

    /// Puts a script on the PATH that `run` has.
    pub(crate) fn script(&self, name: &str, text: &str) {
        let name = format!("bin/{name}");
        self.place.write(&name, format!("#!/bin/sh\n{text}\n"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.place.path(&name), executable).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.place.finish(&mut self.command(args))
    }

    pub(crate) fn start(&self, args: &[&str]) -> Background {
        self.place.spawn(&mut self.command(args))
    }

    /// With one variable more.
    pub(crate) fn run_with(&self, name: &str, value: &str, args: &[&str]) -> Ran {
        self.place.finish(self.command(args).env(name, value))
    }

    /// Names in the engine that this test gave.
    pub(crate) fn in_engine(&self) -> Vec<String> {
        engine::names(&self.repository())
    }

    /// Tags that the registry holds.
    pub(crate) fn in_registry(&self) -> Vec<String> {
        let folder = "data/docker/registry/v2/repositories/team/bot/_manifests/tags";
        let tags = fs::read_dir(self.registry.path(folder));
        let names = tags
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Takes this test's names out of the engine.
    pub(crate) fn forget(&self) {
        engine::forget(&self.repository());
    }

    #[track_caller]
    pub(crate) fn nothing_was_made(&self) {
        assert_eq!(self.in_engine(), Vec::<String>::new());
        assert_eq!(self.in_registry(), Vec::<String>::new());
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.forget();
    }
}

/// What was said, line by line in the order of the alphabet: BuildKit does much at once.
pub(crate) fn sorted(ran: &Ran) -> String {
    let shown = ran.shown(&ran.stderr);
    let mut lines: Vec<_> = shown.split_inclusive('\n').collect();
    lines.sort_by_key(|line| (!line.starts_with("TIME"), line.to_owned()));
    lines.concat()
}

/// The lines for programs, the same wherever they are printed.
pub(crate) fn json(ran: &Ran) -> Vec<String> {
    let shown = ran.shown(&ran.stdout);
    shown.lines().map(str::to_owned).collect()
}
