//! Routes by weight. No controller of them runs here: the tests look at what agentctl applied.

use super::{Clustered, TWO};

const CANARY: &str = "rollout.strategy = \"canary\"\n\
                      rollout.steps = [{ weight = 5, hold = \"1h\" }, { weight = 100 }]\n";

#[test]
fn nginx_has_a_canary_with_the_share() {
    let nginx = "network.router = \"nginx\"\nnetwork.host = \"bot.example.com\"\n";
    let Some(agent) = Clustered::deployed("nginx", nginx) else {
        return;
    };
    agent.spec(&format!("{nginx}{TWO}{CANARY}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("holding at 5 %");
    let canary = agent.namespace.get(&["ingress", "bot-candidate"]);
    let annotations = &canary["metadata"]["annotations"];
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-weight"],
        "5"
    );
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1);
    agent
        .run(&["status"])
        .ends(0)
        .says("http://bot.example.com");
    agent.run(&["destroy", "--yes", "--now"]).ends(0);
    assert_eq!(agent.names("ingresses"), [""; 0]);
}
