//! Who else is in the namespace, and is left alone.

use serde_json::json;

use super::Clustered;

impl Clustered {
    /// Somebody else makes it.
    fn made(&self, object: &serde_json::Value) {
        self.place.write("other.json", object.to_string());
        let file = self.place.path("other.json").display().to_string();
        self.namespace.kubectl(&["create", "-f", &file]).unwrap();
    }
}

#[test]
fn what_others_made_stays() {
    let Some(agent) = Clustered::deployed("others", "") else {
        return;
    };
    let named = |name: &str| {
        let labels = json!({
            "app.kubernetes.io/name": "bot", "app.kubernetes.io/managed-by": "Helm",
        });
        json!({ "name": name, "labels": labels })
    };
    let container = json!({
        "name": "bot", "image": agent.image, "command": ["sleep", "600"],
    });
    agent.made(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": named("alone"),
        "spec": { "containers": [container] },
    }));
    agent.made(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": named("legacy-bot"),
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": "legacy" } },
            "template": {
                "metadata": { "labels": { "app": "legacy" } },
                "spec": { "containers": [container] },
            },
        },
    }));
    agent.made(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "bot-secrets" },
    }));
    agent.run(&["stop"]).ends(0);
    agent.run(&["stop", "--now"]).ends(0);
    agent.run(&["destroy", "--yes"]).ends(0);
    let kept = ["pod/alone", "deployment/legacy-bot", "secret/bot-secrets"];
    for one in kept {
        let object = agent.namespace.get(&[one]);
        assert!(
            object["metadata"]["deletionTimestamp"].is_null(),
            "{object}"
        );
    }
}

#[test]
fn a_workload_of_the_same_name_is_not_taken_over() {
    let Some(agent) = Clustered::new("same-name", "") else {
        return;
    };
    let create = [
        "create",
        "deployment",
        "bot-r1",
        "--image=other",
        "--replicas=0",
    ];
    agent.namespace.kubectl(&create).unwrap();
    let deploy = agent.run(&["deploy"]);
    assert_ne!(deploy.code, 0, "{}", deploy.stderr);
    deploy
        .says("could not apply Deployment bot-r1")
        .says("hint: ");
    let there = agent.namespace.get(&["deployment", "bot-r1"]);
    let image = &there["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(
        (image, &there["spec"]["replicas"]),
        (&json!("other"), &json!(0))
    );
}

#[test]
fn what_fits_by_chance_is_not_taken_over() {
    let Some(agent) = Clustered::new("by-chance", "") else {
        return;
    };
    let account = ["serviceaccount", "bot"];
    agent
        .namespace
        .kubectl(&[&["create"], &account[..]].concat())
        .unwrap();
    for verb in ["plan", "deploy"] {
        agent
            .run(&[verb])
            .ends(2)
            .says("error: could not apply ServiceAccount bot")
            .says("agentctl did not make it")
            .says("hint: another agent.name; or agentctl deploy --take-over");
    }
    let there = agent.namespace.get(&account);
    assert!(there["metadata"]["labels"].is_null(), "{there}");
    agent.run(&["deploy", "--take-over"]).ends(0);
    agent.whole("r1", 1);
    agent.run(&["stop"]).ends(0);
    agent.run(&["plan"]).ends(0);
    agent.run(&["deploy"]).ends(0);
    agent.whole("r1", 1);
}

#[test]
fn a_service_that_somebody_pinned_stands_in_no_rollbacks_way() {
    let Some(agent) = Clustered::deployed("pinned", "") else {
        return;
    };
    agent.spec("run.env.ANSWER = \"two\"");
    agent.run(&["deploy"]).ends(0);
    for release in ["null", "\"r2\""] {
        let pin = format!("{{\"spec\":{{\"selector\":{{\"agentctl.dev/release\":{release}}}}}}}");
        agent
            .namespace
            .kubectl(&["patch", "service", "bot", "--type=merge", "-p", &pin])
            .unwrap();
    }
    agent.spec("run.env.ANSWER = \"three\"");
    agent
        .run(&["deploy"])
        .ends(2)
        .says("could not apply Service bot: .spec.selector");
    assert_eq!(agent.names("deployments"), ["bot-r2"]);
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    agent.whole("r1", 1);
}

#[test]
fn two_environments_are_not_one_deployment() {
    let Some(agent) = Clustered::deployed("environments", "") else {
        return;
    };
    let namespace = &agent.namespace.name;
    agent.spec(&format!(
        "environments.staging.target = {{ kubernetes = {{ namespace = \"{namespace}\" }} }}\n"
    ));
    for args in [&["plan"][..], &["deploy"], &["stop"], &["destroy", "--yes"]] {
        let mut command = agent.place.command(args);
        command.args(["-e", "staging"]);
        command.env("KUBECONFIG", &agent.cluster().kubeconfig);
        agent
            .place
            .finish(&mut command)
            .ends(2)
            .says("error: bot (staging) cannot be in the namespace environments-")
            .says("caused by: its environment prod is there")
            .says("hint: another namespace");
    }
    agent.whole("r1", 1);
}

/// Its selector would be merged with ours, and then it would go with the undo.
#[test]
fn a_service_of_the_same_name_is_not_taken_over() {
    let Some(agent) = Clustered::new("service-there", "") else {
        return;
    };
    let create = ["create", "service", "clusterip", "bot-r1", "--tcp=80:80"];
    agent.namespace.kubectl(&create).unwrap();
    agent
        .run(&["deploy"])
        .ends(2)
        .says("could not apply Service bot-r1")
        .says("agentctl did not make it");
    let there = agent.namespace.get(&["service", "bot-r1"]);
    assert_eq!(there["spec"]["ports"][0]["port"], 80);
}
