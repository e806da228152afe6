//! Secrets that somebody else keeps in the cluster, and agent.toml refers to.

use super::Clustered;

const SECRETS: &str = "secrets.ONE = { kubernetes = \"theirs/one\" }\n\
                       secrets.TWO = { kubernetes = \"theirs/two\" }\n";

#[test]
fn another_value_is_rolled_out_and_an_unused_one_is_not() {
    let Some(agent) = Clustered::new("referred", SECRETS) else {
        return;
    };
    let make = ["create", "secret", "generic", "theirs"];
    let values = ["--from-literal=one=1", "--from-literal=two=2"];
    agent
        .namespace
        .kubectl(&[&make[..], &values].concat())
        .unwrap();
    let set = |data: &str| {
        let data = format!("{{\"stringData\":{data}}}");
        let patch = ["patch", "secret", "theirs", "-p", &data];
        agent.namespace.kubectl(&patch).unwrap();
    };
    agent.run(&["deploy"]).ends(0).says("r1 is live");
    set(r#"{"other":"3"}"#);
    agent.run(&["deploy"]).ends(0).says("nothing changed");
    set(r#"{"two":"a-new-value"}"#);
    let plan = agent.run(&["plan"]).ends(0);
    plan.says("r1 → r2").says("a value in the Secret theirs");
    let deploy = agent.run(&["deploy"]).ends(0).says("r2 is live");
    assert!(!deploy.stderr.contains("a-new-value"), "{}", deploy.stderr);
    agent.run(&["deploy"]).ends(0).says("nothing changed");
    agent.whole("r2", 1);
}
