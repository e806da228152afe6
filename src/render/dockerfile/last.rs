//! What the last stage ends with, whatever runs in it.

use anyhow::Result;
use serde_json::{Value, json};

use super::{go, health, node, python, rust, word};
use crate::advice::advice;
use crate::render::Input;
use crate::spec::{Build, Runtime};

/// In characters: a line of a Dockerfile must not have more than 64 KB.
const LONGEST: usize = 1000;

pub(super) fn context(build: &Build, input: &Input) -> Result<Value> {
    let run = &input.spec.run;
    let agent = &input.spec.agent;
    let home = run.writable.first().map_or("/tmp", String::as_str);
    Ok(json!({
        "port": run.port,
        "home": home,
        "user": run.user,
        "health": health::check(build.runtime, input),
        "command": command(build, input)?,
        "title": agent.name,
        "description": line(agent.description.as_deref().unwrap_or_default()),
        "source": agent.source.as_deref().unwrap_or_default(),
    }))
}

fn command(build: &Build, input: &Input) -> Result<Vec<String>> {
    if !build.entry.is_empty() {
        return Ok(build.entry.clone());
    }
    let command = &input.spec.run.command;
    if !command.is_empty() {
        return Ok(command.iter().map(|part| word(part, input)).collect());
    }
    usual(build.runtime, input).ok_or_else(|| {
        advice(
            "what the image starts is not given, and nothing in the folder tells",
            "entry = [\"python\", \"server.py\"] under [build]",
        )
    })
}

fn usual(runtime: Runtime, input: &Input) -> Option<Vec<String>> {
    match runtime {
        Runtime::Python => python::usual(input),
        Runtime::Node => Some(node::usual()),
        Runtime::Rust => rust::usual(input),
        Runtime::Go => go::usual(input),
        Runtime::Dockerfile => None,
    }
}

/// A Dockerfile has no way to write a line's end inside a value.
fn line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).take(LONGEST).collect()
}
