//! Rollouts in a Kubernetes cluster: the real binary, and a real cluster.

mod away;
mod bad;
mod beside;
mod change;
mod external;
mod input;
mod killed;
mod others;
mod outage;
mod referred;
mod rights;
mod routers;
mod shape;
mod stateful;
mod undone;

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::support::cluster::{Cluster, Namespace};
use crate::support::{Background, Place, Ran, eventually, repository};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

/// Half of the traffic for a moment.
const QUICK: &str = r#"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50, hold = "300ms" }, { weight = 100 }]
"#;

/// An agent of a test's own in its environment `prod`, in a namespace that goes with the test.
struct Clustered {
    place: Place,
    namespace: Namespace,
    image: String,
}

impl Clustered {
    /// `None`: there is no cluster, which is said.
    fn new(test: &str, more: &str) -> Option<Self> {
        let namespace = Namespace::new(test)?;
        let image = namespace.cluster.agent()?;
        let place = Place::empty();
        let it = Self {
            place,
            namespace,
            image,
        };
        it.spec(more);
        Some(it)
    }

    #[track_caller]
    fn deployed(test: &str, more: &str) -> Option<Self> {
        let it = Self::new(test, more)?;
        it.run(&["deploy"]).ends(0);
        Some(it)
    }

    /// The agent of the tests, which leaves as soon as it is told to.
    fn spec(&self, more: &str) {
        self.place.spec(&format!(
            "run.command = [\"python3\", \"/app/agent.py\"]\nrun.port = 8000\n\
             image.image = \"{}\"\n\
             environments.prod.target = {{ kubernetes = {{ namespace = \"{}\" }} }}\n{more}",
            self.image, self.namespace.name
        ));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.args(["-e", "prod"]);
        command.env("KUBECONFIG", &self.cluster().kubeconfig);
        command
    }

    fn cluster(&self) -> &'static Cluster {
        self.namespace.cluster
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.place.finish(&mut self.command(args))
    }

    fn start(&self, args: &[&str]) -> Background {
        self.place.spawn(&mut self.command(args))
    }

    fn status(&self) -> Value {
        let ran = self.run(&["status", "--output", "json"]).ends(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Where the agent's Service answers from here.
    fn address(&self) -> Option<SocketAddr> {
        self.cluster().address(&self.namespace.name, "bot")
    }

    /// Names of objects of this kind that belong to the agent.
    fn names(&self, kind: &str) -> Vec<String> {
        let label = "-l=app.kubernetes.io/name=bot";
        let found = self.namespace.get(&[kind, label]);
        let items = found["items"].as_array().unwrap().iter();
        let mut names: Vec<String> = items
            .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Nothing but this release is left, with all its replicas.
    #[track_caller]
    fn whole(&self, release: &str, replicas: usize) {
        let deployment = format!("bot-{release}");
        eventually("nothing is left over", || {
            self.names("deployments") == [deployment.as_str()]
                && self.names("pods").len() == replicas
        });
        let status = self.status();
        assert_eq!(status["rollout"], Value::Null, "{status}");
        let first = &status["releases"][0];
        assert_eq!(first["release"], release, "{status}");
        assert_eq!(first["weight"], 100, "{status}");
    }

    /// The cluster serves more kinds from now on; one that does already keeps its own.
    fn serves_more(&self) {
        let file = repository().join("tests/clusters/served.yaml");
        let file = file.to_str().unwrap();
        let _ = self.cluster().kubectl(&["create", "-f", file]);
        let established = ["wait", "--for=condition=established", "-f", file];
        self.cluster().kubectl(&established).unwrap();
    }

    /// As a controller: its status is what this object says.
    fn says_of(&self, version: &str, plural: &str, object: &Value) {
        let (namespace, name) = (&self.namespace.name, &object["metadata"]["name"]);
        let name = name.as_str().unwrap();
        let place = format!("/apis/{version}/namespaces/{namespace}/{plural}/{name}/status");
        self.place.write("said.json", object.to_string());
        let file = self.place.path("said.json").display().to_string();
        let replaced = self
            .cluster()
            .kubectl(&["replace", "--raw", &place, "-f", &file]);
        replaced.unwrap();
    }
}
