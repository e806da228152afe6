//! Every example as it is rendered stands beside it, where a reader learns from it.
//! `REWRITE=1 cargo test golden` writes the files anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Place, repository};

/// The example, and what is rendered of it: a folder below `rendered/`, and the arguments.
const RENDERED: &[(&str, &[(&str, &str)])] = &[
    ("chat-bot", &[("kubernetes", "kubernetes -e production")]),
    ("gateway-api", &[("kubernetes", "kubernetes -e production")]),
    ("gpu-vllm", &[("kubernetes", "kubernetes -e production")]),
    (
        "istio-production",
        &[("kubernetes", "kubernetes -e production")],
    ),
    ("langgraph", &[("kubernetes", "kubernetes -e production")]),
    ("log-watcher", &[("kubernetes", "kubernetes -e production")]),
    ("mcp-tools", &[("kubernetes", "kubernetes -e production")]),
    (
        "migration-job",
        &[("kubernetes", "kubernetes -e production")],
    ),
    ("nginx-rag", &[("kubernetes", "kubernetes -e production")]),
    (
        "queue-worker",
        &[("kubernetes", "kubernetes -e production")],
    ),
    (
        "research-cron",
        &[("kubernetes", "kubernetes -e production")],
    ),
    ("stateful", &[("kubernetes", "kubernetes -e production")]),
];

#[test]
fn every_example_renders_to_its_golden_files() {
    let rewrite = std::env::var_os("REWRITE").is_some();
    for (example, outputs) in RENDERED {
        let rendered = examples().join(example).join("rendered");
        let made = tempfile::tempdir().unwrap();
        for (folder, args) in *outputs {
            render(example, args, &made.path().join(folder));
        }
        if rewrite {
            replace(&rendered, made.path());
        }
        let (made, golden) = (tree(made.path()), tree(&rendered));
        let names = |tree: &BTreeMap<String, String>| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            names(&made),
            names(&golden),
            "{example}: REWRITE=1 cargo test golden"
        );
        for (path, text) in &made {
            assert_eq!(text, &golden[path], "{example}/rendered/{path}");
        }
    }
}

#[test]
fn every_example_is_rendered() {
    let known: Vec<&str> = RENDERED.iter().map(|(name, _)| *name).collect();
    let mut there: Vec<String> = fs::read_dir(examples())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "quickstart")
        .collect();
    there.sort();
    assert_eq!(there, known);
}

fn examples() -> PathBuf {
    repository().join("examples")
}

fn render(example: &str, args: &str, into: &Path) {
    let place = Place::empty();
    let file = examples().join(example).join("agent.toml");
    let mut all = vec!["render"];
    all.extend(args.split(' '));
    all.extend(["-f", file.to_str().unwrap(), "-o", into.to_str().unwrap()]);
    place.run(&all).ends(0);
}

fn replace(rendered: &Path, made: &Path) {
    let _ = fs::remove_dir_all(rendered);
    for (path, text) in tree(made) {
        let path = rendered.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Every file below, but for the list that agentctl keeps of what it wrote.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(&below).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != ".agentctl-rendered" {
                let name = path
                    .strip_prefix(folder)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}
