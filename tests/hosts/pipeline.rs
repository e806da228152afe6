//! A rendered pipeline as a runner would walk it: each job's own script with the job's own
//! variables, against a real registry and a real engine.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::Hosted;
use crate::support::Ran;
use crate::support::engine::forget;
use crate::support::registry::{PASSWORD, RealRegistry, USER, Wanted};

#[test]
fn a_rendered_pipeline_pushes_once_deploys_and_asks() {
    let Some(runner) = Runner::new("pipeline") else {
        return;
    };
    runner.job("check").ends(0);
    let first = runner.job("build-image").ends(0);
    assert!(first.stdout.contains(r#""outcome":"pushed""#), "{first:?}");
    let again = runner.job("build-image").ends(0);
    assert!(
        again.stdout.contains(r#""outcome":"unchanged""#),
        "{again:?}"
    );
    let deployed = runner.job("deploy-prod").ends(0);
    assert!(
        deployed.stdout.contains(r#""outcome":"completed""#),
        "{deployed:?}"
    );
    assert!(!deployed.stderr.contains("built"), "{deployed:?}");
    runner.host.whole("r1", &["edge", "r1-1"]);
    let again = runner.job("deploy-prod").ends(0);
    assert!(
        again.stdout.contains(r#""outcome":"unchanged""#),
        "{again:?}"
    );
}

#[test]
fn a_bad_release_fails_its_job() {
    let Some(runner) = Runner::new("bad-pipeline") else {
        return;
    };
    runner.job("deploy-prod").ends(0);
    runner
        .host
        .place
        .write("Dockerfile", "FROM python:3.13-slim\nCMD [\"false\"]\n");
    let failed = runner.job("deploy-prod").ends(1);
    assert!(
        failed.stdout.contains(r#""outcome":"rolled_back""#),
        "{failed:?}"
    );
    runner.host.whole("r1", &["edge", "r1-1"]);
}

struct Runner {
    host: Hosted,
    registry: RealRegistry,
    pipeline: Value,
    /// Goes after the containers that run from them.
    _images: Images,
}

struct Images(String);

impl Drop for Images {
    fn drop(&mut self) {
        forget(&self.0);
    }
}

impl Runner {
    /// `None`: there is no engine, which is said.
    fn new(name: &str) -> Option<Self> {
        let host = Hosted::new(name, "")?;
        let registry = RealRegistry::start(Wanted {
            login: true,
            ..Wanted::default()
        });
        let repository = format!("{}/team/{}", registry.host(), host.agent);
        host.spec(&format!("image.repository = \"{repository}\"\n"));
        let printed = host
            .run(&["render", "ci", "--for", "gitlab"])
            .ends(0)
            .stdout;
        host.place.write("bin/keep", "");
        let program = env!("CARGO_BIN_EXE_agentctl");
        symlink(program, host.place.path("bin/agentctl")).unwrap();
        Some(Self {
            host,
            registry,
            _images: Images(repository),
            pipeline: serde_yaml::from_str(&printed).unwrap(),
        })
    }

    /// All scripts of a job in one shell, as GitLab runs them.
    fn job(&self, name: &str) -> Ran {
        let job = &self.pipeline[name];
        let lines = job["script"].as_array().unwrap().iter();
        let script: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        let mut command = self.host.place.program("bash");
        command.args(["-c", &script.join("\n")]);
        for variables in [&self.pipeline["variables"], &job["variables"]] {
            let all = variables.as_object().into_iter().flatten();
            command.envs(all.map(|(name, value)| (name, value.as_str().unwrap())));
        }
        let path = std::env::var("PATH").unwrap();
        let own = self.host.place.path("bin");
        command
            .env("PATH", format!("{}:{path}", own.display()))
            .env("DOCKER_CONFIG", self.registry.path("docker"))
            .env("REGISTRY_USER", USER)
            .env("REGISTRY_PASSWORD", PASSWORD);
        self.host.place.finish(&mut command)
    }
}
