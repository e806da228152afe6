//! Both builders of a real engine, from outside.

use crate::support::{Place, Ran, engine};

/// An agent whose image goes when the test ends.
struct Agent {
    place: Place,
    name: String,
}

impl Agent {
    /// `None`: nothing here could build it.
    fn new(name: &str, more: &str) -> Option<Self> {
        if !engine::there_is_a_tiny_image() {
            return None;
        }
        let name = format!("{name}-{}", std::process::id());
        let place = Place::new(&format!("agent.name = \"{name}\"\n{more}\n"));
        Some(Self { place, name })
    }

    fn build(&self, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.place.command(&["build"]);
        command.envs(variables.iter().copied());
        self.place.finish(&mut command)
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
        let found = engine::docker(&["images", format, &self.name]).unwrap();
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
const TEMPLATE: &str = "FROM agentctl-tests/tiny:2
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
        let built = agent.build(&[("DOCKER_BUILDKIT", wish)]);
        built.ends(0).says("built both-builders");
        assert_eq!(agent.says(&["cat", "/said"]), "built");
        agent.forget();
    }
}
