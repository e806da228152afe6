mod absent;
mod kinds;
mod pod;
mod policy;
mod secrets;
mod sidecars;

use serde_json::Value;

use super::{Object, objects};
use crate::release::ReleaseId;
use crate::render::Input;
use crate::render::fixtures::{input_in, templates};

/// A small agent with `more` in its file.
fn input(more: &str) -> Input {
    let text = format!("[agent]\nname = \"bot\"\n{more}\n");
    input_in(&text, environment(&text))
}

fn environment(text: &str) -> Option<&str> {
    text.contains("[environments.x").then_some("x")
}

/// The same agent as release r7.
fn released(more: &str) -> Input {
    Input {
        release: Some("r7".parse::<ReleaseId>().unwrap()),
        ..input(more)
    }
}

fn rendered(input: &Input) -> Vec<Object> {
    objects(input, &templates()).unwrap_or_else(|error| panic!("{error}"))
}

/// Kind and name of each object.
fn list(input: &Input) -> Vec<String> {
    let objects = rendered(input).into_iter();
    let named = objects.map(|object| {
        let text = |at| object.value.pointer(at).and_then(Value::as_str).unwrap();
        format!("{} {}", text("/kind"), text("/metadata/name"))
    });
    named.collect()
}

fn one(input: &Input, kind: &str) -> Value {
    let found = rendered(input)
        .into_iter()
        .find(|object| object.value["kind"] == kind);
    found
        .unwrap_or_else(|| panic!("{kind} is not among {:?}", list(input)))
        .value
}

/// The pod template of the agent's own Deployment or StatefulSet.
fn pod(input: &Input) -> Value {
    let mut objects = rendered(input).into_iter();
    let own = |object: &Object| {
        object.value["metadata"]["name"] == input.workload()
            && object.value.pointer("/spec/template").is_some()
    };
    let workload = objects.find(own).unwrap();
    workload.value["spec"]["template"].clone()
}

/// The agent's own container.
fn agent(input: &Input) -> Value {
    pod(input)["spec"]["containers"][0].clone()
}

/// The value of a variable of the agent.
fn variable(input: &Input, name: &str) -> Value {
    let agent = agent(input);
    let all = agent["env"].as_array().unwrap();
    let found = all.iter().find(|variable| variable["name"] == name);
    match found {
        Some(variable) => variable["value"].clone(),
        None => outright(input)[name].clone(),
    }
}

/// What the agent has from the ConfigMap of its variables; nothing where it has none.
fn outright(input: &Input) -> Value {
    let name = &agent(input)["envFrom"][0]["configMapRef"]["name"];
    let mut objects = rendered(input).into_iter();
    let map = objects.find(|object| object.value["metadata"]["name"] == *name);
    map.map_or(Value::Null, |map| map.value["data"].clone())
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}
