//! What a deploy is told before anything is done: one error, with its cause and what to do.

use serde_json::{Value, json};

use super::{Clustered, TWO};
use crate::support::{Ran, eventually};

#[test]
fn a_secret_that_the_cluster_lacks() {
    let missing = "secrets.K = { kubernetes = \"nosuch/key\" }";
    let Some(agent) = Clustered::new("nosuch", missing) else {
        return;
    };
    for command in ["plan", "deploy", "doctor"] {
        agent
            .run(&[command])
            .ends(2)
            .says("the secret K has no value: no Secret nosuch in ")
            .says("kubectl create secret generic nosuch -n ");
    }
    let make = ["create", "secret", "generic", "nosuch"];
    let given = |key: &'static str| [&make[..], &[key]].concat();
    agent
        .namespace
        .kubectl(&given("--from-literal=other=x"))
        .unwrap();
    agent.run(&["plan"]).ends(2).says("nosuch");
    agent
        .namespace
        .kubectl(&["delete", "secret", "nosuch"])
        .unwrap();
    agent
        .namespace
        .kubectl(&given("--from-literal=key=x"))
        .unwrap();
    agent.run(&["plan"]).ends(0);
    agent
        .run(&["doctor"])
        .says("all 1 that the cluster has are there");
}

#[test]
fn a_release_that_is_too_large_to_be_kept() {
    let Some(agent) = Clustered::new("large", "config.prompts = \"prompts\"") else {
        return;
    };
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + (state >> 26) as u8)
    };
    for name in ["prompts/one.md", "prompts/two.md"] {
        let text: String = (0..400_000).map(|_| noise()).collect();
        agent.place.write(name, text);
    }
    for command in ["plan", "deploy"] {
        agent
            .run(&[command])
            .ends(2)
            .says("error: the cluster cannot keep a release with this config and these prompts")
            .says("hint: put large texts into the image");
    }
    assert_eq!(agent.names("deployments,configmaps"), [""; 0]);
}

fn with(agent: &Clustered, change: impl FnOnce(&mut Value)) -> Ran {
    let view = ["config", "view", "--raw", "--minify", "-o", "json"];
    let mut config: Value = serde_json::from_str(&agent.cluster().kubectl(&view).unwrap()).unwrap();
    change(&mut config);
    agent.place.write("kubeconfig", config.to_string());
    let mut command = agent.command(&["deploy"]);
    command.env("KUBECONFIG", agent.place.path("kubeconfig"));
    agent.place.finish(&mut command)
}

#[test]
fn one_error_each() {
    let Some(agent) = Clustered::new("input", "") else {
        return;
    };
    with(&agent, |config| {
        config["users"][0]["user"] = json!({ "token": "expired" })
    })
    .ends(2)
    .says("Unauthorized")
    .says("hint: ");
    with(&agent, |config| {
        config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    })
    .ends(2)
    .says("error: could not reach the cluster at https://127.0.0.1:1")
    .says("hint: ");
    with(&agent, |config| {
        config["contexts"] = json!([]);
        config["current-context"] = json!("");
    })
    .ends(2)
    .says("hint: ");
    let mut nowhere = agent.command(&["deploy"]);
    nowhere.env("KUBECONFIG", "/no/such/file");
    agent
        .place
        .finish(&mut nowhere)
        .ends(2)
        .says("error: there is no kubeconfig")
        .says("hint: ");
    let spec = agent.place.read("agent.toml");
    let gone = spec.replace(&agent.namespace.name, "no-such-namespace");
    agent.place.write("agent.toml", gone);
    agent
        .run(&["deploy"])
        .ends(2)
        .says("error: the cluster has no namespace no-such-namespace")
        .says("hint: kubectl create namespace no-such-namespace");
    agent.place.write("agent.toml", spec);
    assert_eq!(agent.names("deployments,services,configmaps"), [""; 0]);
}

#[test]
fn quota_says_what_is_used() {
    let Some(agent) = Clustered::new("quota", "run.resources.cpu = \"10m\"\n") else {
        return;
    };
    let quota = ["create", "quota", "small", "--hard=pods=0"];
    agent.namespace.kubectl(&quota).unwrap();
    agent.run(&["deploy"]).ends(1).says("exceeded quota: small");
}

#[test]
fn a_namespace_that_is_being_removed() {
    let Some(agent) = Clustered::new("going", "") else {
        return;
    };
    let map = ["create", "configmap", "stays"];
    agent.namespace.kubectl(&map).unwrap();
    let held = |finalizers: Value| {
        let patch = json!({ "metadata": { "finalizers": finalizers } }).to_string();
        let patch = ["patch", "configmap", "stays", "--type=merge", "-p", &patch];
        agent.namespace.kubectl(&patch).unwrap();
    };
    held(json!(["agentctl.dev/test"]));
    let name = &agent.namespace.name;
    let delete = ["delete", "namespace", name, "--wait=false"];
    agent.cluster().kubectl(&delete).unwrap();
    let deploy = agent.run(&["deploy"]);
    held(Value::Null);
    deploy
        .ends(2)
        .says(&format!("error: the namespace {name} is being removed"))
        .says("hint: wait for that");
}

/// Only for namespaces with a label that no other has.
#[test]
fn a_webhook_that_stands_in_the_way_is_named() {
    let Some(agent) = Clustered::new("webhook", "") else {
        return;
    };
    let name = agent.namespace.name.as_str();
    let hook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": name },
        "webhooks": [{
            "name": "images.example.com",
            "clientConfig": { "url": "https://127.0.0.1:1/" },
            "rules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["deployments"],
            }],
            "namespaceSelector": { "matchLabels": { "agentctl.dev/test": name } },
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
        }],
    });
    agent.place.write("hook.json", hook.to_string());
    let label = format!("agentctl.dev/test={name}");
    let cluster = agent.cluster();
    cluster
        .kubectl(&["label", "namespace", name, &label])
        .unwrap();
    let file = agent.place.path("hook.json");
    let apply = ["apply", "-f", file.to_str().unwrap()];
    cluster.kubectl(&apply).unwrap();
    let refused = |ran: Ran, code| {
        ran.ends(code)
            .says("could not apply Deployment bot-r1")
            .says("failed calling webhook \"images.example.com\"")
            .says("hint: whoever runs that webhook of the cluster has to mend it")
    };
    // It is heard of a moment after it was applied.
    eventually("the webhook", || agent.run(&["plan"]).code != 0);
    refused(agent.run(&["plan"]), 2);
    let ran = refused(agent.run(&["deploy"]), 1);
    assert!(
        !ran.stderr.contains("bot-r1: could not apply"),
        "{}",
        ran.stderr
    );
    assert_eq!(agent.names("deployments,services"), [""; 0]);
    cluster
        .kubectl(&["delete", "-f", file.to_str().unwrap()])
        .unwrap();
}

#[test]
fn what_somebody_else_set_is_named_and_taken_over_when_told() {
    let Some(agent) = Clustered::deployed("foreign", "") else {
        return;
    };
    let port = r#"{"spec":{"ports":[{"name":"http","port":8000,"targetPort":9}]}}"#;
    let patch = [
        "patch",
        "service",
        "bot",
        "--field-manager=somebody",
        "-p",
        port,
    ];
    agent.namespace.kubectl(&patch).unwrap();
    agent.spec("run.env.ANSWER = \"two\"");
    let planned = agent.run(&["plan"]).ends(2);
    planned.says(".targetPort belongs to somebody");
    agent
        .run(&["deploy"])
        .ends(2)
        .says(".targetPort belongs to somebody")
        .says("hint: agentctl deploy --take-over makes these fields agentctl's");
    assert_eq!(agent.names("deployments"), ["bot-r1"]);
    agent.run(&["deploy", "--take-over"]).ends(0);
    let service = agent.namespace.get(&["service", "bot"]);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "http");
}

#[test]
fn what_was_brought_before_a_refusal_goes_again() {
    let prompts = "config.prompts = \"prompts\"\n";
    let Some(agent) = Clustered::new("brought", prompts) else {
        return;
    };
    agent.place.write("prompts/system.md", "one");
    agent.run(&["deploy"]).ends(0);
    let maps = || agent.names("configmaps").into_iter();
    let configs = || {
        maps()
            .filter(|name| name.contains("config"))
            .collect::<Vec<_>>()
    };
    let before = configs();
    assert_eq!(before.len(), 1, "{before:?}");
    let quota = ["create", "quota", "small", "--hard=services=2"];
    agent.namespace.kubectl(&quota).unwrap();
    agent.place.write("prompts/system.md", "two");
    agent.run(&["deploy"]).says("exceeded quota: small");
    assert_eq!(configs(), before);
    agent.run(&["status"]).ends(0).says("r1");
}

/// Only where nobody installed it.
#[test]
fn a_kind_that_the_cluster_lacks_is_refused_before_anything_is_done() {
    let keda = "scale.max = 3\nscale.cpu = 60\nrun.resources.cpu = \"10m\"\n";
    let Some(agent) = Clustered::new("lacks", keda) else {
        return;
    };
    let served = agent.cluster().kubectl(&["api-versions"]).unwrap();
    if served.contains("keda.sh/") {
        return;
    }
    for verb in ["plan", "deploy", "doctor"] {
        agent
            .run(&[verb])
            .ends(2)
            .says("the cluster has no ScaledObject bot")
            .says("hint: install KEDA; or do without: scale.by = \"hpa\"");
    }
    assert_eq!(agent.names("deployments,services,configmaps"), [""; 0]);
}

/// There are as many replicas as the cluster wants at the moment.
#[test]
fn shares_that_a_scaler_makes_impossible_are_refused_with_what_fits_always() {
    let scaled = "scale.min = 2\nscale.max = 3\nscale.by = \"hpa\"\nscale.cpu = 60\n\
                  run.replicas = 2\nrun.resources.cpu = \"10m\"\n";
    let Some(agent) = Clustered::deployed("shares", scaled) else {
        return;
    };
    let quarter = "rollout.strategy = \"canary\"\n\
                   rollout.steps = [{ weight = 25, hold = \"1s\" }, { weight = 100 }]\n";
    agent.spec(&format!("{scaled}{TWO}{quarter}"));
    agent
        .run(&["plan"])
        .ends(2)
        .says("and never 25 %")
        .says("hint: the autoscaler changes the number of replicas");
    agent.spec(&format!("{scaled}{TWO}rollout.strategy = \"rolling\"\n"));
    agent.run(&["plan"]).ends(0).says("r1 → r2");
}
