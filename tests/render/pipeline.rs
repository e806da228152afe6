//! `agentctl render ci`: pipelines of one agent and of several, and what their scripts do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{env, fs};

use serde_json::{Value, json};

use crate::support::{Place, Ran};

const BOT: &str = "agent.name = \"bot\"\nrun.command = [\"true\"]\n";

/// What it prints is YAML, which JSON is read as, too.
fn parsed(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn a_pipeline_has_the_environments_of_the_file() {
    let place = Place::empty();
    let environments = "[environments.z]\n[environments.dev]\n[environments.a]\n";
    place.write("agent.toml", format!("{BOT}{environments}"));
    let jobs = |args: &[&str]| {
        let ran = place
            .run(&[&["render", "ci", "--for", "github"], args].concat())
            .ends(0);
        let lines = ran
            .stdout
            .lines()
            .filter_map(|line| line.trim().strip_prefix("deploy-"));
        let names = lines.filter_map(|line| line.strip_suffix(':'));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(jobs(&[]), ["z", "a"]);
    assert_eq!(jobs(&["-e", "dev"]), ["dev"]);
    place.run(&["render", "ci"]).ends(2).says("--for <SYSTEM>");
}

/// GitLab reads one file, which starts those of the agents.
#[test]
fn several_agents_have_a_pipeline_each_at_gitlab() {
    let place = Place::empty();
    for agent in ["bot", "other"] {
        let spec = BOT.replace("bot", agent);
        place.write(&format!("agents/{agent}/agent.toml"), spec);
    }
    let files = ["agents/bot/agent.toml", "agents/other/agent.toml"];
    let render = ["render", "ci", "--for", "gitlab", "-o", ".", "-f"];
    place.run(&[&render[..], &files].concat()).ends(0);
    let above = parsed(&place.read(".gitlab-ci.yml"));
    let trigger = json!({ "include": "other/.gitlab-ci.yml", "strategy": "depend" });
    assert_eq!(above["agent-other"]["trigger"], trigger);
    let below = parsed(&place.read("other/.gitlab-ci.yml"));
    assert_eq!(below["variables"]["AGENT_FILE"], files[1]);
    let rules = below["workflow"]["rules"].to_string();
    assert!(rules.contains("parent_pipeline"), "{rules}");
}

#[test]
fn the_pipeline_of_one_agent_does_not_take_the_place_of_another() {
    let place = Place::empty();
    place.write("a.toml", BOT);
    place.write("b.toml", BOT.replace("bot", "other"));
    let render = |file| place.run(&["render", "ci", "--for", "gitlab", "-o", ".", "-f", file]);
    render("a.toml").ends(0);
    render("a.toml").ends(0);
    render("b.toml").exactly(
        2,
        "",
        "\
error: .gitlab-ci.yml there is the pipeline of a.toml
hint: render both at once: -f a.toml b.toml; or overwrite it with --force
",
    );
}

/// Stands for agentctl: tells what the file of the secret holds.
const SHOWS: &str =
    "#!/bin/sh\nif [ \"$1\" = deploy ]; then cat bot/keys/model; stat -c %a bot/keys/model; fi\n";

#[test]
fn a_file_of_a_secret_is_there_while_it_is_deployed() {
    let place = Place::empty();
    let secret = "[secrets]\nMODEL = { file = \"keys/model\" }\n";
    place.write("bot/agent.toml", format!("{BOT}{secret}"));
    place.write("bin/agentctl", SHOWS);
    let program = place.path("bin/agentctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let printed = place.run(&["render", "ci", "--for", "gitlab", "-f", "bot/agent.toml"]);
    let pipeline = parsed(&printed.ends(0).stdout);
    let ran = deploy(&place, &pipeline).ends(0);
    assert_eq!(ran.stdout, "c0ffee600\n");
    assert_eq!(place.read("deploy.jsonl"), "c0ffee600\n");
    assert!(!place.path("bot/keys/model").exists());
    place.write("bot/keys/model", "own\n");
    deploy(&place, &pipeline).ends(0);
    assert!(place.read("deploy.jsonl").starts_with("own\n"));
    assert!(place.path("bot/keys/model").exists());
}

/// The job's script, as GitLab runs it.
fn deploy(place: &Place, pipeline: &Value) -> Ran {
    let job = &pipeline["deploy-default"];
    let mut command = place.program("bash");
    command.args(["-c", job["script"][0].as_str().unwrap()]);
    for variables in [&pipeline["variables"], &job["variables"]] {
        let all = variables.as_object().into_iter().flatten();
        command.envs(all.map(|(name, value)| (name, value.as_str().unwrap())));
    }
    let (own, path) = (place.path("bin"), env::var("PATH").unwrap());
    command.env("PATH", format!("{}:{path}", Path::new(&own).display()));
    command.env("MODEL", "c0ffee");
    place.finish(&mut command)
}
