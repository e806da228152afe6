//! Secrets of a store. No operator runs here: the tests say in its place what agentctl waits for.

use serde_json::{Value, json};

use super::Clustered;
use crate::support::eventually;

const SECRET: &str = "secrets.KEY = { external = \"safe/bot-key\" }\n";

fn external(agent: &Clustered) -> Value {
    let mut object = Value::Null;
    eventually("the secrets are described", || {
        object = agent.namespace.get(&["externalsecrets"])["items"][0].clone();
        !object.is_null()
    });
    object
}

fn ready(agent: &Clustered, status: &str, message: &str) {
    let mut object = external(agent);
    object["status"] = json!({
        "syncedResourceVersion": format!("{}-0", object["metadata"]["generation"]),
        "conditions": [{ "type": "Ready", "status": status, "message": message }],
    });
    agent.says_of("external-secrets.io/v1", "externalsecrets", &object);
}

#[test]
fn replicas_start_when_their_secrets_were_fetched() {
    let Some(agent) = Clustered::new("external", SECRET) else {
        return;
    };
    agent.serves_more();
    let deploy = agent.start(&["deploy"]);
    let named = external(&agent)["spec"]["data"][0]["remoteRef"]["key"].clone();
    assert_eq!(named, "bot-key");
    assert_eq!(agent.names("deployments"), [""; 0]);
    let secret = "--from-literal=KEY=from-the-safe";
    let made = ["create", "secret", "generic", "bot-external", secret];
    agent.namespace.kubectl(&made).unwrap();
    ready(&agent, "True", "secret synced");
    deploy.wait().ends(0).says("r1 is live");
}

#[test]
fn what_the_store_answers_is_said_and_nothing_is_started() {
    let Some(agent) = Clustered::new("external-bad", SECRET) else {
        return;
    };
    agent.serves_more();
    let deploy = agent.start(&["deploy"]);
    ready(&agent, "False", "could not get secret data from provider");
    deploy
        .wait()
        .ends(2)
        .says("error: the cluster did not fetch the secrets of ExternalSecret bot-external")
        .says("caused by: could not get secret data from provider")
        .says("kubectl describe externalsecret bot-external");
    assert_eq!(agent.names("deployments"), [""; 0]);
}
