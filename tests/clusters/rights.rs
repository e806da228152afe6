//! Who may do no more than the Role that `render rbac` prints.

use std::process::Command;

use super::{Clustered, QUICK, TWO};

impl Clustered {
    /// Logged in by a token of the account that the rendered Role is for.
    fn as_deployer(&self) -> impl Fn(&[&str]) -> Command {
        let role = self.run(&["render", "rbac"]).ends(0).stdout;
        self.place.write("rbac.yaml", &role);
        let file = self.place.path("rbac.yaml").display().to_string();
        self.namespace.kubectl(&["apply", "-f", &file]).unwrap();
        let kubeconfig = self.namespace.kubeconfig_of("bot-deployer");
        self.place.write("kubeconfig", kubeconfig);
        |args| {
            let mut command = self.command(args);
            command.env("KUBECONFIG", self.place.path("kubeconfig"));
            command
        }
    }
}

#[test]
fn a_login_that_ends_leaves_the_rollout_standing() {
    let Some(agent) = Clustered::deployed("logged-out", "") else {
        return;
    };
    let command = agent.as_deployer();
    let asks = "rollout.steps = [{ weight = 50 }, { approve = \"well?\" }, { weight = 100 }]";
    agent.spec(&format!("{TWO}rollout.strategy = \"canary\"\n{asks}"));
    let deploy = agent.place.spawn(&mut command(&["deploy"]));
    deploy.until("well?");
    agent
        .namespace
        .kubectl(&["delete", "serviceaccount", "bot-deployer"])
        .unwrap();
    deploy
        .wait()
        .ends(3)
        .says("error: rollout 2 was left standing")
        .says("knows nobody by this login")
        .says("agentctl abort undoes it");
    agent.run(&["abort"]).ends(0);
    agent.whole("r1", 1);
}

#[test]
fn the_rendered_role_is_enough_and_less_is_said_before_anything_is_done() {
    let Some(agent) = Clustered::new("rights", "") else {
        return;
    };
    let command = agent.as_deployer();
    let run = |args: &[&str]| agent.place.finish(&mut command(args));
    run(&["doctor"])
        .ends(0)
        .says("all that a deploy takes is allowed in ")
        .says("requests are split by a Service, by replicas (auto)");
    run(&["deploy"]).ends(0).says("r1 is live");
    agent.spec(&format!("{TWO}{QUICK}"));
    run(&["plan"]).ends(0);
    run(&["deploy"]).ends(0).says("r2 is live");
    run(&["logs"]).ends(0).says("agent r2 starts");
    run(&["rollback"]).ends(0).says("r1 is live");
    run(&["status"]).ends(0).says("r1");
    agent
        .namespace
        .kubectl(&["delete", "rolebinding", "bot-deployer"])
        .unwrap();
    run(&["doctor"]).ends(2).says("create of apps/deployments");
    agent.spec("run.env.ANSWER = \"three\"");
    run(&["deploy"])
        .ends(2)
        .says("error: may not deploy bot (prod) into the namespace")
        .says("delete, get, list, patch, watch of apps/deployments");
    agent.whole("r1", 1);
}

#[test]
fn a_kind_that_may_not_be_made_is_named_before_anything_is_done() {
    let Some(agent) = Clustered::new("rights-kinds", "") else {
        return;
    };
    let command = agent.as_deployer();
    agent.spec("run.replicas = 2\n");
    for verb in ["plan", "deploy"] {
        agent
            .place
            .finish(&mut command(&[verb]))
            .ends(2)
            .says("error: may not deploy bot (prod) into the namespace")
            .says("patch, watch of policy/poddisruptionbudgets")
            .says(
                "hint: ask whoever runs the cluster for the Role that agentctl render rbac prints",
            );
    }
    assert_eq!(agent.names("deployments,services,configmaps"), [""; 0]);
}
