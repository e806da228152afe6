//! What an undo puts back beside the replicas: the values of secrets, and who may reach them.

use serde_json::Value;

use super::{Clustered, TWO};
use crate::support::{CANARY, Ran};

const KEY: &str = "rollback.max_per_hour = 100\nsecrets.MYKEY = { env = \"MYKEY\" }\n";

impl Clustered {
    fn with_key(&self, value: &str, args: &[&str]) -> Ran {
        self.place.finish(self.command(args).env("MYKEY", value))
    }

    /// What the one pod was started with.
    fn key(&self) -> Value {
        let (namespace, pod) = (&self.namespace.name, &self.names("pods")[0]);
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}:8000/proxy/env");
        let env = self.cluster().kubectl(&["get", "--raw", &path]).unwrap();
        serde_json::from_str::<Value>(&env).unwrap()["MYKEY"].clone()
    }
}

#[test]
fn a_release_keeps_its_values() {
    let Some(agent) = Clustered::new("values", KEY) else {
        return;
    };
    agent
        .with_key("alpha", &["plan", "--save", "plan.json"])
        .ends(2)
        .says("error: a first deploy with secrets cannot be saved as a plan");
    agent.with_key("alpha", &["deploy"]).ends(0);
    let [shared, alpha] = &agent.names("secrets")[..] else {
        panic!("{:?}", agent.names("secrets"));
    };
    assert_eq!(shared, "bot-secrets");
    agent.spec(&format!("{KEY}run.env.LAST_WORDS = \"no\""));
    agent
        .with_key("beta", &["deploy"])
        .ends(1)
        .says("rolled back to r1");
    let pod = &agent.names("pods")[0];
    agent.namespace.kubectl(&["delete", "pod", pod]).unwrap();
    agent.whole("r1", 1);
    agent.spec(KEY);
    agent
        .with_key("alpha", &["deploy"])
        .ends(0)
        .says("nothing changed");
    agent.whole("r1", 1);
    assert_eq!(agent.key(), "alpha");
    agent
        .with_key("beta", &["deploy"])
        .ends(0)
        .says("r3 is live");
    agent.whole("r3", 1);
    assert_eq!(agent.key(), "beta");
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    agent.whole("r1", 1);
    assert_eq!(agent.key(), "alpha");
    for secret in agent.names("secrets") {
        if secret != *shared && secret != *alpha {
            agent
                .namespace
                .kubectl(&["delete", "secret", &secret])
                .unwrap();
        }
    }
    agent
        .run(&["rollback", "--to", "r3"])
        .ends(2)
        .says("error: r3 cannot be started: the Secret bot-secrets-")
        .says("hint: agentctl deploy");
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    assert_eq!(agent.names("secrets"), [""; 0]);
}

#[test]
fn a_release_keeps_who_may_reach_it() {
    let Some(agent) = Clustered::deployed("policies", "") else {
        return;
    };
    agent.spec("run.env.LAST_WORDS = \"no\"");
    let spec = agent.place.read("agent.toml");
    let moved = spec.replace("run.port = 8000", "run.port = 9000");
    agent.place.write("agent.toml", moved);
    agent.run(&["deploy"]).ends(1).says("rolled back to r1");
    agent.whole("r1", 1);
    // That of r2 stays while its last pods leave.
    let policies = agent.names("networkpolicies");
    assert!(policies.contains(&"bot-r1".to_owned()), "{policies:?}");
    let policy = agent.namespace.get(&["networkpolicy", "bot-r1"]);
    let spec = &policy["spec"];
    assert_eq!(spec["ingress"][0]["ports"][0]["port"], 8000);
    let of = &spec["podSelector"]["matchLabels"]["agentctl.dev/release"];
    assert_eq!(of, "r1");
}

#[test]
fn a_candidate_that_somebody_scaled_to_nothing_leaves_nothing() {
    let Some(agent) = Clustered::deployed("emptied", "") else {
        return;
    };
    agent.spec(&format!("{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 50 %");
    let scale = ["scale", "deployment", "bot-r2", "--replicas=0"];
    agent.namespace.kubectl(&scale).unwrap();
    deploy.wait().ends(1).says("rolled back to r1");
    agent.whole("r1", 1);
}
