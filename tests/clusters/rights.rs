//! Who may do no more than the Role that `render rbac` prints.

use super::{Clustered, QUICK, TWO};

#[test]
fn the_rendered_role_is_enough_and_less_is_said_before_anything_is_done() {
    let Some(agent) = Clustered::new("rights", "") else {
        return;
    };
    let role = agent.run(&["render", "rbac"]).ends(0).stdout;
    agent.place.write("rbac.yaml", &role);
    let file = agent.place.path("rbac.yaml").display().to_string();
    agent.namespace.kubectl(&["apply", "-f", &file]).unwrap();
    let kubeconfig = agent.namespace.kubeconfig_of("bot-deployer");
    agent.place.write("kubeconfig", kubeconfig);
    let run = |args: &[&str]| {
        let mut command = agent.command(args);
        command.env("KUBECONFIG", agent.place.path("kubeconfig"));
        agent.place.finish(&mut command)
    };
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
    let role = agent.run(&["render", "rbac"]).ends(0).stdout;
    agent.place.write("rbac.yaml", &role);
    let file = agent.place.path("rbac.yaml").display().to_string();
    agent.namespace.kubectl(&["apply", "-f", &file]).unwrap();
    let kubeconfig = agent.namespace.kubeconfig_of("bot-deployer");
    agent.place.write("kubeconfig", kubeconfig);
    agent.spec("run.replicas = 2\n");
    for verb in ["plan", "deploy"] {
        let mut command = agent.command(&[verb]);
        command.env("KUBECONFIG", agent.place.path("kubeconfig"));
        agent
            .place
            .finish(&mut command)
            .ends(2)
            .says("error: may not deploy bot (prod) into the namespace")
            .says("patch, watch of policy/poddisruptionbudgets")
            .says(
                "hint: ask whoever runs the cluster for the Role that agentctl render rbac prints",
            );
    }
    assert_eq!(agent.names("deployments,services,configmaps"), [""; 0]);
}
