//! Rollouts on a Docker host: the real binary, and this machine's engine.

mod arms;
mod bad;
mod changes;
pub(crate) mod crowd;
mod far;
mod killed;
mod lives;
mod pipeline;
mod presets;
mod renewed;
mod secrets;
mod shadows;
mod told;
mod unchanged;
mod way;
mod workers;

use std::process::Command;

use crate::support::engine::{clear, docker, forget, there_is_python};
use crate::support::{Background, Place, Ran, eventually};

const DOCKERFILE: &str = r#"FROM python:3.13-slim
ENV HOST=0.0.0.0
WORKDIR /app
COPY agent.py /app/agent.py
CMD ["python3", "/app/agent.py"]
"#;

/// Half of the traffic for a moment.
const QUICK: &str = r#"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "300ms" }, { weight = 100 }]
"#;

/// An agent of a test's own in its environment `prod`; all of it goes with the test.
struct Hosted {
    place: Place,
    agent: String,
}

impl Hosted {
    /// `None`: there is no engine, which is said.
    fn new(name: &str, more: &str) -> Option<Self> {
        if !there_is_python() {
            return None;
        }
        let place = Place::new("");
        place.write("Dockerfile", DOCKERFILE);
        let agent = format!("{name}-{}", std::process::id());
        let host = Self { place, agent };
        host.spec(more);
        Some(host)
    }

    #[track_caller]
    fn deployed(name: &str, more: &str) -> Option<Self> {
        let host = Self::new(name, more)?;
        host.run(&["deploy"]).ends(0);
        Some(host)
    }

    fn spec(&self, more: &str) {
        self.place.spec(&format!(
            "agent.name = \"{}\"\nbuild.runtime = \"dockerfile\"\n\
             environments.prod.target = {{ docker = {{ listen = \"127.0.0.1\" }} }}\n{more}",
            self.agent
        ));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.args(["-e", "prod"]);
        for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.place.finish(&mut self.command(args))
    }

    fn start(&self, args: &[&str]) -> Background {
        self.place.spawn(&mut self.command(args))
    }

    #[track_caller]
    fn deploy_until(&self, more: &str, says: &str) -> Background {
        self.spec(more);
        let deploy = self.start(&["deploy"]);
        deploy.until(says);
        deploy
    }

    /// What every name of its begins with.
    fn project(&self) -> String {
        format!("{}_prod", self.agent)
    }

    fn edge(&self) -> String {
        format!("{}-edge", self.project())
    }

    fn container(&self, replica: &str) -> String {
        format!("{}-{replica}", self.project())
    }

    /// Every container that is there, running or not, as `r1-2` or `edge`.
    fn containers(&self) -> Vec<String> {
        let filter = format!("label=com.docker.compose.project={}", self.project());
        let names = docker(&["ps", "-a", "--filter", &filter, "--format={{.Names}}"]).unwrap();
        let prefix = format!("{}-", self.project());
        let names = names.lines().map(|name| name.strip_prefix(&prefix));
        let mut names: Vec<_> = names.map(|name| name.unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Whoever looked into the volumes goes a moment after the command.
    #[track_caller]
    fn nothing_is_there(&self) {
        eventually("no container is there", || self.containers().is_empty());
    }

    fn volumes(&self) -> String {
        let filter = format!("name={}", self.project());
        docker(&["volume", "ls", "-q", "--filter", &filter]).unwrap()
    }

    fn inspect(&self, name: &str, format: &str) -> String {
        docker(&["inspect", "--format", format, name]).unwrap()
    }

    fn status(&self) -> serde_json::Value {
        let ran = self.run(&["status", "--output", "json"]).ends(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Nothing but these containers is there, and this release serves.
    #[track_caller]
    fn whole(&self, release: &str, containers: &[&str]) {
        eventually("nothing is left over", || self.containers() == containers);
        let asked = || self.place.ask("release");
        assert!((0..4).all(|_| asked() == release));
        assert_eq!(self.status()["rollout"], serde_json::Value::Null);
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        clear(&self.project());
        forget(&self.agent);
    }
}
