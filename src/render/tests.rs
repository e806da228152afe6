//! No value breaks out of its place: any text in any free-text field comes back from the parsed
//! output as it was written.

use std::collections::BTreeMap;

use proptest::prelude::ProptestConfig;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::fixtures::templates;
use super::{Files, Input, Templates, compose, fixtures, kubernetes, yaml};

/// An agent with `text` in every field that takes any text.
fn input(text: &str) -> Input {
    let plain = text.replace("${", "$${");
    let file = json!({
        "agent": { "name": "bot", "description": text, "team": text },
        "image": { "image": "bot:1" },
        "run": { "command": ["run", plain], "env": { "FREE": plain } },
        "config": { "model": text, "settings": { "free": text, text: 1 } },
    });
    Input {
        prompts: BTreeMap::from([("a.md".to_owned(), text.to_owned())]),
        ..fixtures::input(&toml::to_string(&file).unwrap())
    }
}

fn documents(files: &Files) -> Vec<Value> {
    let texts = files.iter().map(|(_, text)| yaml::parse(text).unwrap());
    texts.flatten().collect()
}

fn of_kind<'v>(documents: &'v [Value], kind: &str) -> &'v Value {
    documents.iter().find(|one| one["kind"] == kind).unwrap()
}

fn comes_back_from_a_cluster(text: &str, templates: &Templates) {
    let files = kubernetes(&input(text), templates).unwrap();
    let documents = documents(&files);
    let map = |key: &str| {
        let mut maps = documents.iter().filter(|one| one["kind"] == "ConfigMap");
        maps.find(|one| one["data"][key].is_string()).unwrap()["data"].clone()
    };
    let data = map("config.json");
    assert_eq!(data["prompt-0"], text);
    let config: Value = serde_json::from_str(data["config.json"].as_str().unwrap()).unwrap();
    assert_eq!(config["model"], text);
    assert_eq!(config["settings"][text], 1);
    let container = &of_kind(&documents, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    // The cluster reads every `$$` as one `$`.
    let there = text.replace('$', "$$");
    assert_eq!(container["command"], json!(["run", there]));
    assert_eq!(map("FREE")["FREE"], text);
}

/// What Compose makes of a text: it puts nothing in where `$` is written twice.
fn comes_back_from_compose(text: &str, templates: &Templates) {
    let files = compose(&input(text), templates).unwrap();
    let file = |name: &str| files.iter().find(|(path, _)| *path == name).unwrap().1;
    assert_eq!(file("prompts/a.md"), text);
    let config: Value = serde_json::from_str(file("config.json")).unwrap();
    assert_eq!(config["model"], text);
    let stack = yaml::parse(file("compose.yaml")).unwrap();
    let bot = &stack[0]["services"]["bot"];
    let there = text.replace('$', "$$");
    assert_eq!(bot["environment"]["FREE"], there);
    assert_eq!(bot["entrypoint"], json!(["run", there]));
}

fn comes_back(text: &str, templates: &Templates) {
    comes_back_from_a_cluster(text, templates);
    comes_back_from_compose(text, templates);
}

#[test]
fn what_means_something_elsewhere_means_nothing_here() {
    let templates = templates();
    for text in [
        "",
        " ",
        "\"",
        "'",
        "\\",
        "a\nb",
        "\n",
        "a\r\nb\n\n",
        "{{ x }}",
        "{% if %}",
        "{# x #}",
        "a: b",
        "# no",
        "- x",
        "--- ",
        "...",
        "&a",
        "*a",
        "!!str",
        "|",
        ">",
        "%",
        "@",
        "`",
        "yes",
        "null",
        "~",
        "1e3",
        "0x1",
        "012",
        "1:30:00",
        "2026-01-01",
        "$(X)",
        "$$(X)",
        "$X",
        "${X}",
        "\t",
        "\u{1b}[31m",
        "\u{85}\u{2028}\u{feff}",
        "\u{e000}0\u{e001}",
        "😀é",
        "]]>",
        "</x>",
        "<<",
        "=",
        "a\u{200b}b",
    ] {
        comes_back(text, &templates);
    }
    let long = "long \"text\": {{ with }} # all\n".repeat(64 * 1024 / 31);
    comes_back(&long, &templates);
    comes_back(&"x".repeat(64 * 1024), &templates);
}

/// Templates are compiled once for all texts.
fn each_comes_back(texts: &str) {
    let (templates, mut runner) = (templates(), TestRunner::new(config()));
    let outcome = runner.run(&texts, |text| {
        comes_back(&text, &templates);
        Ok(())
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn any_text_comes_back() {
    each_comes_back("[^\0]{0,200}");
}

#[test]
fn any_mix_of_signs_comes_back() {
    each_comes_back("[-?:,\\[\\]{}#&*!|>'\"%@`\\\\ \n\t$()=~a1.]{0,40}");
}
