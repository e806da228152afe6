use serde_json::{Value, json};

use super::*;
use crate::spec::agent_place;

const ORDER: Order<'_> = Order {
    agent: "bot",
    namespace: "agents",
    rollout: 7,
    image: "r.example/bot@sha256:0",
    environment: "prod",
    pull_secrets: &[],
};

#[test]
fn its_pod_finds_the_agent_where_it_is() {
    let job = job(&ORDER);
    let text = &job["spec"]["template"]["metadata"]["annotations"][WHICH];
    let text = text.as_str().unwrap();
    let (name, target) = agent_place(text.as_bytes(), "agent.toml", Some("prod")).unwrap();
    assert_eq!(name, "bot");
    assert!(format!("{target:?}").contains("agents"), "{target:?}");
}

#[test]
fn no_service_of_the_agent_selects_its_pod() {
    let labels = job(&ORDER)["spec"]["template"]["metadata"]["labels"].take();
    let names: Vec<&String> = labels.as_object().unwrap().keys().collect();
    assert_eq!(names, [RUNNER, "app.kubernetes.io/managed-by"]);
}

#[test]
fn what_a_pod_failed_with() {
    let pod = |phase: &str, code: Value| {
        let state = json!({ "state": { "terminated": { "exitCode": code } } });
        json!({ "status": { "phase": phase, "containerStatuses": [state] } })
    };
    assert_eq!(code(&pod("Failed", json!(2))), Some(2));
    assert_eq!(code(&pod("Succeeded", json!(0))), None);
    assert_eq!(code(&json!({ "status": { "phase": "Failed" } })), None);
}
