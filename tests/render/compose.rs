//! compose.yaml: `docker-compose config` takes every one, and paths in it lead where they should.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use regex_lite::Regex;

use crate::support::{Place, Ran, repository};

/// Something of everything that compose.yaml can hold.
const FULL: &str = r#"
[agent]
name = "bot"
kind = "stateful"
labels = { tier = "front" }
[build]
runtime = "python"
context = "app"
args = { ODD = "a$b" }
[run]
env = { ODD = "a$b \"q\" 'x' {{ y }}\nnew: # line $${NO}", DSN = "postgres://u:${secret:PW}@db/x" }
resources = { cpu = "500m", memory = "1Gi", cpu_limit = "2" }
gpu = { count = 1 }
volumes.notes = { path = "/notes", size = "1Gi" }
[config]
prompts = "prompts"
[secrets]
PW = { env = "PW" }
FILE = { file = ".secrets/file" }
[observe]
otel = "sidecar"
export = "http://otel.example.com:4318"
[services.db]
preset = "postgres"
storage = "10Gi"
secret = "PW"
[services.cache]
preset = "redis"
secret = "FILE"
[services.llm]
preset = "vllm"
model = "team/name"
gpus = 2
[services.vectors]
preset = "qdrant"
storage = "1Gi"
[services.queue]
preset = "rabbitmq"
storage = "1Gi"
[services.own]
image = "example.com/own:1"
port = 99
data = "/data"
storage = "1Gi"
[tools.search]
image = "mcp/search:1"
[tools.files]
image = "mcp/files:1"
mode = "service"
[sidecars.sync]
image = "example.com/sync:1"
volumes = ["notes"]
[environments.staging]
services.old = { preset = "tgi", model = "a/b" }
tools.extra = { image = "mcp/extra:1", port = 3001 }
"#;

fn full() -> Place {
    let place = Place::empty();
    place.write("agent.toml", FULL);
    place.write("app/app.py", "");
    place.write("prompts/system.md", "Be kind: ${HOME}\n");
    place.write(".secrets/file", "open-sesame\n");
    place
}

/// Whether docker-compose takes the file; with it every reference finds a value.
fn accepted(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let names = Regex::new(r"\$\{([A-Za-z0-9_]+):\?").unwrap();
    let names: BTreeSet<&str> = names
        .captures_iter(&text)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    let ended = Command::new("docker-compose")
        .args(["-f", "compose.yaml", "config"])
        .current_dir(file.parent().unwrap())
        .envs(names.into_iter().map(|name| (name, "value")))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{}: {said}", file.display());
}

/// Without docker-compose there is nobody to ask; a continuous integration must have it.
fn is_there() -> bool {
    let asked = Command::new("docker-compose").arg("version").output();
    if asked.is_ok_and(|asked| asked.status.success()) {
        return true;
    }
    let message = "skipped: no compose.yaml is checked, there is no docker-compose";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    // Straight to the terminal: what a test prints is otherwise shown only when it fails.
    let mut out = std::io::stderr();
    let _ = std::io::Write::write_all(&mut out, format!("{message}\n").as_bytes());
    false
}

#[test]
fn docker_compose_takes_every_file() {
    let place = full();
    place.run(&["render", "compose", "-o", "deploy"]).ends(0);
    place
        .run(&["render", "compose", "-e", "staging", "-o", "staging"])
        .ends(0);
    place.write(
        "several/agent.toml",
        "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n[run]\nreplicas = 3\n",
    );
    place
        .run(&[
            "render",
            "compose",
            "-f",
            "several/agent.toml",
            "-o",
            "many",
        ])
        .ends(0);
    if !is_there() {
        return;
    }
    let ours = ["deploy", "staging", "many"].map(|folder| place.path(folder));
    let examples = fs::read_dir(repository().join("examples")).unwrap();
    let examples = examples
        .map(|example| example.unwrap().path().join("rendered/compose"))
        .filter(|folder| folder.exists());
    let files = ours
        .into_iter()
        .chain(examples)
        .map(|folder| folder.join("compose.yaml"));
    let files: Vec<PathBuf> = files.collect();
    thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| accepted(file));
        }
    });
}

#[test]
fn a_text_comes_back_from_docker_compose() {
    if !is_there() {
        return;
    }
    let long = "long ".repeat(13_000);
    let odd = [
        "a$b",
        "${X}",
        "$$",
        "\"",
        "'",
        "\n",
        "{{ x }}",
        ": #",
        "ü😀",
        long.trim(),
    ];
    let place = Place::empty();
    let env: Vec<String> = odd
        .iter()
        .enumerate()
        .map(|(at, text)| format!("V{at} = {:?}\n", text.replace("${", "$${")))
        .collect();
    place.write(
        "agent.toml",
        format!(
            "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n[run.env]\n{}",
            env.concat()
        ),
    );
    place.run(&["render", "compose", "-o", "out"]).ends(0);
    // What it prints is written for it to read again: `$` is `$$` there too.
    let ended = Command::new("docker-compose")
        .args(["-f", "compose.yaml", "config"])
        .current_dir(place.path("out"))
        .output()
        .unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    let stack: serde_json::Value = serde_yaml::from_str(&printed).unwrap();
    for (at, text) in odd.iter().enumerate() {
        let found = &stack["services"]["bot"]["environment"][format!("V{at}")];
        assert_eq!(found.as_str().unwrap(), text.replace('$', "$$"));
    }
}

/// The value behind `key: ` in the file.
fn value<'t>(text: &'t str, key: &str) -> &'t str {
    let line = text.lines().find(|line| line.trim().starts_with(key));
    line.unwrap_or_else(|| panic!("no {key} in {text}"))
        .trim()
        .trim_start_matches(key)
}

#[test]
fn paths_lead_from_any_folder_to_where_they_should() {
    let place = full();
    place.write("elsewhere/empty", "");
    for (from, file, out) in [
        (".", "agent.toml", "deploy/compose"),
        (".", "agent.toml", "."),
        ("elsewhere", "../agent.toml", "here/../there"),
    ] {
        let mut command = place.command(&["render", "compose", "-f", file, "-o", out]);
        command.current_dir(place.path(from));
        place.finish(&mut command).ends(0);
        let folder = place.path(from).join(out);
        let text = fs::read_to_string(folder.join("compose.yaml")).unwrap();
        let context = folder.join(value(&text, "context: "));
        assert!(context.join("app.py").exists(), "{}", context.display());
        let dockerfile = context.join(value(&text, "dockerfile: "));
        assert_eq!(
            dockerfile.canonicalize().unwrap(),
            folder.join("Dockerfile").canonicalize().unwrap()
        );
        let files = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("file: "));
        for file in files {
            assert!(folder.join(file).exists(), "{file}");
        }
    }
}

#[test]
fn printed_is_the_stack_alone() {
    let place = full();
    let ran: Ran = place.run(&["render", "compose"]).ends(0);
    assert!(
        ran.stdout.starts_with("services:\n  bot:\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("context: ./app\n"), "{}", ran.stdout);
    assert_eq!(
        ran.stderr,
        "Dockerfile, Dockerfile.dockerignore, collector.yaml, config.json, prompts/system.md belong \
         to it; -o FOLDER writes them too\n"
    );
}

#[test]
fn nothing_of_a_secret_is_in_it() {
    let place = full();
    let mut command = place.command(&["render", "compose", "-o", "out"]);
    command.env("PW", "hunter-two");
    place.finish(&mut command).ends(0);
    for name in ["compose.yaml", "config.json", "collector.yaml"] {
        let text = place.read(&format!("out/{name}"));
        assert!(!text.contains("open-sesame") && !text.contains("hunter-two"));
    }
}

#[test]
fn an_environment_that_cannot_be_read_is_named() {
    let place = Place::empty();
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n\
         [environments.live]\nrun.env = { A = \"${NOT_SET_ANYWHERE}\" }\n",
    );
    place
        .run(&["render", "compose"])
        .ends(2)
        .says("could not read the environment live, which may add services")
        .says("render one environment alone: -e NAME");
}

#[test]
fn what_has_no_effect_is_told() {
    let place = Place::empty();
    place.write(
        "agent.toml",
        "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n\
         [network]\nallow = [\"a.example.com:443\"]\n",
    );
    place
        .run(&["render", "compose"])
        .ends(0)
        .says("warning: network.allow has no effect in Compose");
}
