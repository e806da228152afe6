use serde_json::Value;

use super::{good, load};
use crate::spec::reference::reference;
use crate::spec::schema;

/// `AGENTCTL_WRITE_DOCS=1 cargo test reference` writes it anew.
#[test]
fn the_written_reference_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");
    if std::env::var_os("AGENTCTL_WRITE_DOCS").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == reference(),
        "docs/reference.md is old: AGENTCTL_WRITE_DOCS=1 cargo test reference"
    );
}

#[test]
fn every_key_is_described() {
    fn walk(schema: &Value, path: &str, missing: &mut Vec<String>) {
        for (name, key) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            let whole = crate::spec::schema::resolve(super::super::schema(), key);
            let item = crate::spec::schema::resolve(super::super::schema(), &whole["items"]);
            let known = [key, whole, item]
                .iter()
                .any(|schema| schema["description"].is_string());
            if !known {
                missing.push(path);
            }
        }
    }
    let mut missing = Vec::new();
    walk(schema(), "", &mut missing);
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        walk(definition, name, &mut missing);
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_schema_has_its_key_points() {
    let schema = schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["agent"]));
    let run = &schema["$defs"]["Run"];
    assert_eq!(run["properties"]["port"]["maximum"], 65535);
    assert_eq!(run["properties"]["port"]["default"], 8000);
    let build = &schema["$defs"]["Build"];
    assert_eq!(build["required"], serde_json::json!(["runtime"]));
    let environment = &schema["$defs"]["Environment"];
    assert_eq!(
        environment["properties"]["build"]["$ref"],
        "#/$defs/PartialBuild"
    );
    assert_eq!(schema["$defs"]["PartialBuild"]["required"], Value::Null);
    assert_eq!(environment["additionalProperties"], false);
    assert!(environment["properties"]["environments"].is_null());
    assert!(!schema.to_string().contains("\"null\""));
}

/// Only sections and what is replaced as a whole may require keys: an overlay could not leave
/// them out elsewhere.
#[test]
fn an_environment_may_hold_a_part_of_every_section() {
    let base = "[agent]\nname = \"a\"\n[run]\ncommand = [\"a\"]\n\
        [services.llm]\npreset = \"vllm\"\nmodel = \"m\"\n[tools.search]\nimage = \"i\"\n\
        [scale]\nqueue = { kind = \"prometheus\", name = \"q\", address = \"a\", per_replica = 1 }\n\
        [environments.x]\n";
    for overlay in [
        "agent.team = \"t\"",
        "run.port = 1",
        "health.startup.within = \"1s\"",
        "drain.grace = \"1s\"",
        "config.settings.a = 1",
        "secrets.A = { env = \"A\" }",
        "rollout.bake = \"1s\"",
        "gate = [{ metric = \"requests\", min = 1 }]",
        "rollback.auto = false",
        "services.llm.gpus = 2",
        "tools.search.port = 3001",
        "scale.queue.per_replica = 2",
    ] {
        let text = format!("{base}{overlay}\n");
        assert!(load(&text, Some("x")).is_ok(), "{overlay}");
        good(&text);
    }
}
