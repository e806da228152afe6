//! Images by the builders of a real engine, over every way that leads to it, from outside.

mod cache;
mod local;
mod pin;
mod second;
pub(crate) mod ssh;
mod tls;
mod ways;

use std::process::Command;

use crate::support::registry::{RealRegistry, Wanted};
use crate::support::{Place, Ran, engine};

/// An agent whose image goes when the test ends.
struct Agent {
    place: Place,
    repository: String,
}

impl Agent {
    /// `None`: nothing here could build it.
    fn new(name: &str, more: &str) -> Option<Self> {
        if !engine::there_is_a_tiny_image() {
            return None;
        }
        let repository = format!("{name}-{}", std::process::id());
        let place = Place::new(&format!("agent.name = \"{repository}\"\n{more}\n"));
        Some(Self { place, repository })
    }

    /// One with a Dockerfile of its own, whose image has a place in a registry.
    fn kept(name: &str, dockerfile: &str, more: &str) -> Option<(Self, RealRegistry)> {
        let mut agent = Self::new(name, "")?;
        let registry = RealRegistry::start(Wanted::default());
        agent.repository = format!("{}/team/{name}", registry.host());
        agent.place.spec(&format!(
            "build.runtime = \"dockerfile\"\nimage.repository = \"{}\"\n{more}\n",
            agent.repository
        ));
        agent.place.write("Dockerfile", dockerfile);
        Some((agent, registry))
    }

    /// By the machine's engine, unless the variables say otherwise.
    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = self.place.command(args);
        for name in [
            "DOCKER_HOST",
            "DOCKER_CONTEXT",
            "DOCKER_CONFIG",
            "DOCKER_BUILDKIT",
        ] {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied());
        command
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        self.place.finish(&mut self.command(args, variables))
    }

    /// What a program in the image says.
    #[track_caller]
    fn says(&self, program: &[&str]) -> String {
        let image = &self.images()[0];
        let run = ["run", "--rm", "--network=none", image];
        engine::docker(&[&run, program].concat()).unwrap()
    }

    fn images(&self) -> Vec<String> {
        let format = "--format={{.Repository}}:{{.Tag}}";
        let found = engine::docker(&["images", format, &self.repository]).unwrap();
        found.lines().map(str::to_owned).collect()
    }

    fn forget(&self) {
        for image in self.images() {
            let _ = engine::docker(&["rmi", "-f", &image]);
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Mounts what the built-in one mounts, on a base that is copied in no time.
const TEMPLATE: &str = "\
FROM agentctl-tests/tiny:2
COPY . /agent
RUN {% include \"dockerfile/mounts\" %}
echo built > /said
";

#[test]
fn each_is_given_a_dockerfile_that_it_can_build() {
    let Some(agent) = Agent::new("both-builders", "build.runtime = \"python\"") else {
        return;
    };
    agent.place.write("requirements.txt", "");
    agent.place.write("templates/dockerfile/python", TEMPLATE);
    for wish in ["0", "1"] {
        let built = agent.run(&["build"], &[("DOCKER_BUILDKIT", wish)]);
        built.ends(0).says("built both-builders");
        assert_eq!(agent.says(&["cat", "/said"]), "built");
        agent.forget();
    }
}
