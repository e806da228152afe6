//! Every example as it is rendered stands beside it, where a reader learns from it.
//! `REWRITE=1 cargo test golden` writes the files anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Place, repository};

/// The example, and what is rendered of it: a folder below `rendered/`, and the arguments.
const RENDERED: &[(&str, &[(&str, &str)])] = &[
    (
        "chat-bot",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
            ("ci", "ci --for gitlab"),
        ],
    ),
    (
        "gateway-api",
        &[
            ("image", "dockerfile"),
            ("kubernetes", "kubernetes -e production"),
            (
                "kubernetes-r13-to-r14",
                "kubernetes -e production --release r13 --candidate r14 --weight 20 --mirror 10 --match header:X-Beta=true",
            ),
            ("flagger", "kubernetes -e production --as flagger"),
            (
                "argo-rollouts",
                "kubernetes -e production --as argo-rollouts",
            ),
        ],
    ),
    (
        "gpu-vllm",
        &[
            ("image", "dockerfile"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "istio-production",
        &[
            ("image", "dockerfile"),
            ("ci", "ci --for github"),
            ("kubernetes", "kubernetes -e production"),
            ("kustomize", "kubernetes --layout kustomize"),
        ],
    ),
    (
        "langgraph",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "log-watcher",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "mcp-tools",
        &[
            ("compose", "compose -e development"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "migration-job",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "nginx-rag",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
            (
                "kubernetes-r13-to-r14",
                "kubernetes -e production --release r13 --candidate r14 --weight 10",
            ),
        ],
    ),
    (
        "queue-worker",
        &[
            ("compose", "compose"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "research-cron",
        &[
            ("image", "dockerfile"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
    (
        "stateful",
        &[
            ("image", "dockerfile"),
            ("kubernetes", "kubernetes -e production"),
        ],
    ),
];

#[test]
fn every_example_renders_to_its_golden_files() {
    let rewrite = std::env::var_os("REWRITE").is_some();
    for (example, outputs) in RENDERED {
        let folder = examples().join(example);
        // Paths in a compose.yaml lead from it to the example, so both lie as they do here.
        let place = Place::empty();
        copy(&folder, &place);
        for (into, args) in *outputs {
            let into = format!("rendered/{into}");
            let args = args.split(' ').chain(["-o", &into]);
            place
                .run(&["render"].into_iter().chain(args).collect::<Vec<_>>())
                .ends(0);
        }
        let (made, rendered) = (place.path("rendered"), folder.join("rendered"));
        if rewrite {
            replace(&rendered, &made);
        }
        let (made, golden) = (tree(&made), tree(&rendered));
        let names = |tree: &BTreeMap<String, String>| tree.keys().cloned().collect::<Vec<_>>();
        let hint = "REWRITE=1 cargo test golden";
        assert_eq!(names(&made), names(&golden), "{example}: {hint}");
        for (path, text) in &made {
            assert_eq!(text, &golden[path], "{example}/rendered/{path}: {hint}");
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

/// What a reader writes, without what is rendered.
fn copy(example: &Path, place: &Place) {
    let files = tree(example).into_iter();
    for (path, text) in files.filter(|(path, _)| !path.starts_with("rendered/")) {
        place.write(&path, text);
    }
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
