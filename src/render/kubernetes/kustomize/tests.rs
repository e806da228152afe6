use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::super::fixtures::{input_in, kinds};
use super::*;

const AGENT: &str = r#"
[agent]
name = "helper"
labels = { "a.b/c" = "d" }
[run]
replicas = 2
env = { LOG = "info", MODE = "a: b # c" }
[config]
settings = { temperature = 0.3 }
[observe]
metrics = "/metrics"
dashboards = true
[environments.staging]
target = { kubernetes = { namespace = "staging" } }
run.env.LOG = "debug\nand more"
run.env.EXTRA = "1"
observe.dashboards = false
[environments.production]
target = { kubernetes = { namespace = "agents", version = "1.28" } }
run.replicas = 5
config.settings.temperature = 0.5
network = { gateway = "infra/public", host = "a.example.com" }
scale = { queue = { kind = "redis-list", name = "q", address = "r:6379", per_replica = 5 } }
agent.team = "support"
[environments.same]
target = { kubernetes = {} }
"#;

type ById = BTreeMap<String, Value>;

fn by_id(objects: Vec<Value>) -> ById {
    let named = objects
        .into_iter()
        .map(|object| (kinds(std::slice::from_ref(&object)).remove(0), object));
    named.collect()
}

fn templates() -> Templates {
    Templates::new(BTreeMap::new())
}

fn environments() -> Vec<Input> {
    let names = ["staging", "production", "same"];
    names.map(|name| input_in(AGENT, Some(name))).into()
}

fn made() -> Files {
    kustomize(&input_in(AGENT, None), &environments(), &templates()).unwrap()
}

fn directly(input: &Input) -> ById {
    let objects = objects(input, &templates()).unwrap();
    by_id(objects.into_iter().map(|object| object.value).collect())
}

fn document(files: &Files, path: &str) -> Value {
    let (_, text) = files.iter().find(|(name, _)| *name == path).unwrap();
    yaml::parse(text).unwrap().remove(0)
}

/// What Kustomize would make of the folder, as far as these files use it.
fn built(files: &Files, folder: &str) -> ById {
    let list = document(files, &format!("{folder}/kustomization.yaml"));
    let mut objects = ById::new();
    for resource in list["resources"].as_array().unwrap() {
        match resource.as_str().unwrap() {
            BASE => objects.extend(built(files, "base")),
            file => objects.extend(by_id(vec![document(files, &format!("{folder}/{file}"))])),
        }
    }
    if list["namespace"].is_string() {
        for object in objects.values_mut() {
            object["metadata"]["namespace"] = list["namespace"].clone();
        }
    }
    for patch in list["patches"].as_array().into_iter().flatten() {
        let target = &patch["target"];
        let id = format!(
            "{} {}",
            target["kind"].as_str().unwrap(),
            target["name"].as_str().unwrap()
        );
        let what = yaml::parse(patch["patch"].as_str().unwrap())
            .unwrap()
            .remove(0);
        match what["$patch"] == "delete" {
            true => drop(objects.remove(&id).unwrap()),
            false => {
                let patch: json_patch::Patch = serde_json::from_value(what).unwrap();
                json_patch::patch(objects.get_mut(&id).unwrap(), &patch).unwrap();
            }
        }
    }
    objects
}

#[test]
fn an_overlay_gives_what_rendering_its_environment_gives() {
    let files = made();
    assert_eq!(built(&files, "base"), directly(&input_in(AGENT, None)));
    for input in environments() {
        let folder = format!("overlays/{}", input.environment.as_ref().unwrap());
        assert_eq!(built(&files, &folder), directly(&input), "{folder}");
    }
}

#[test]
fn what_does_not_differ_is_not_patched() {
    let same = document(&made(), "overlays/same/kustomization.yaml");
    assert_eq!(same["resources"], json!([BASE]));
    assert_eq!(same.get("patches"), None);
}

/// The real one, where it is new enough to know `patches`.
#[test]
fn kubectl_builds_the_same() {
    if kustomize_version().is_none_or(|major| major < 4) {
        eprintln!("skipped: no kubectl with Kustomize 4 or newer");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for (path, text) in made().iter() {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for input in environments() {
        let name = input.environment.clone().unwrap();
        let folder = root.path().join("overlays").join(&name);
        let (built, wanted) = (kubectl(&folder), directly(&input));
        for (id, object) in &wanted {
            assert_eq!(built.get(id), Some(object), "{name}: {id}");
        }
        assert_eq!(built.len(), wanted.len(), "{name}");
    }
}

fn kustomize_version() -> Option<u32> {
    let said = Command::new("kubectl")
        .args(["version", "--client", "-o", "json"])
        .output()
        .ok()?;
    let said: Value = serde_json::from_slice(&said.stdout).ok()?;
    let version = said["kustomizeVersion"].as_str()?.strip_prefix('v')?;
    version.split('.').next()?.parse().ok()
}

fn kubectl(folder: &Path) -> ById {
    let ran = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    by_id(yaml::parse(&String::from_utf8(ran.stdout).unwrap()).unwrap())
}

#[test]
fn a_difference_makes_one_of_the_other() {
    let texts = [
        json!({}),
        json!({ "a/b": 1, "c~d": [1, 2, { "e": 1 }] }),
        json!({ "a/b": [1], "c~d": [1, 3, { "e": { "f": "g" } }] }),
        json!({ "c~d": [1], "h": { "i": {} } }),
        json!({ "h": { "i": [] }, "c~d": "x" }),
    ];
    for before in &texts {
        for after in &texts {
            let operations = difference(before, after);
            assert_eq!(operations.is_empty(), before == after);
            let patch: json_patch::Patch = serde_json::from_value(json!(operations)).unwrap();
            let mut patched = before.clone();
            json_patch::patch(&mut patched, &patch).unwrap();
            assert_eq!(&patched, after);
        }
    }
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let mut input = input_in(AGENT, Some("same"));
    input.environment = Some("../x".to_owned());
    let failed = kustomize(&input_in(AGENT, None), &[input], &templates()).unwrap_err();
    assert!(
        failed
            .to_string()
            .contains("\"../x\" cannot be the name of a folder")
    );
}
