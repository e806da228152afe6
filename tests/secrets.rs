//! A secret's value reaches the agent and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, Ran};

const ENV: &str = "sk-live-3f9a2c7e51";
const FILE: &str = concat!("postgres:", "//bot:hunter22@db/agent");

const SPEC: &str = r#"
run.env.DATABASE = "${secret:DATABASE_URL}?ssl=1"
[secrets]
API_KEY = { env = "API_KEY_OF_TEST" }
DATABASE_URL = { file = "database_url" }
"#;

struct Told {
    place: Place,
    said: String,
}

impl Told {
    fn new(more: &str) -> Self {
        let place = Place::new(&format!("{more}{SPEC}"));
        place.write("database_url", format!("{FILE}\n"));
        let said = String::new();
        Self { place, said }
    }

    fn run(&mut self, args: &[&str]) -> Ran {
        let mut command = self.place.command(args);
        let ran = self.place.finish(command.env("API_KEY_OF_TEST", ENV));
        self.said += &format!("{}{}", ran.stdout, ran.stderr);
        ran
    }

    #[track_caller]
    fn nowhere(&self) {
        let keeps = self.place.state().join("secrets.json");
        let mode = fs::metadata(&keeps).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for secret in [ENV, FILE] {
            assert!(!self.said.contains(secret), "{}", self.said);
            for (path, bytes) in self.place.files() {
                let is_log = path.parent().is_some_and(|folder| folder.ends_with("logs"));
                if path != keeps && !is_log {
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains(secret), "{}", path.display());
                }
            }
            for (_, line) in self.place.processes() {
                assert!(!line.contains(secret), "{line}");
            }
        }
    }
}

#[test]
fn is_in_the_agents_environment_only() {
    let mut told = Told::new("");
    told.run(&["check"]).ends(0);
    told.run(&["plan", "-v"]).ends(0);
    told.run(&["config", "show"]).ends(0);
    told.run(&["deploy", "-vv"]).ends(0);
    let env: serde_json::Value = serde_json::from_str(&told.place.get("/env").1).unwrap();
    assert_eq!(env["API_KEY"], ENV);
    assert_eq!(env["DATABASE_URL"], FILE);
    assert_eq!(env["DATABASE"], format!("{FILE}?ssl=1"));
    assert_eq!(env.get("API_KEY_OF_TEST"), None);
    for verb in ["status", "history", "logs", "plan"] {
        told.run(&[verb, "--output", "json"]).ends(0);
    }
    told.nowhere();
}

#[test]
fn is_not_told_by_logs_when_the_agent_prints_it() {
    let mut told = Told::new("run.env.TELLS = \"API_KEY\"\n");
    told.run(&["deploy", "--output", "json"]).ends(0);
    told.run(&["logs"]).exactly(
        0,
        "r1-1 │ agent r1 starts\nr1-1 │ API_KEY=[API_KEY redacted]\n",
        "",
    );
    told.run(&["logs", "--output", "json"]).ends(0);
    told.nowhere();
}

#[test]
fn is_not_in_the_evidence() {
    let mut told = Told::new(
        "run.env.TELLS = \"DATABASE_URL\"\nrun.env.LAST_WORDS = \"${secret:API_KEY} is wrong\"\n",
    );
    told.run(&["deploy"])
        .ends(1)
        .says("  │ DATABASE_URL=[DATABASE_URL redacted]\n")
        .says("  │ [API_KEY redacted] is wrong\n");
    told.nowhere();
}

#[test]
fn a_probes_reply_is_redacted() {
    let mut told = Told::new("");
    told.place.spec(&format!(
        "{SPEC}[[rollout.probe]]\nrequest = {{ path = \"/env\" }}\nexpect = {{ json = \"$.nope\" }}\n"
    ));
    told.run(&["deploy", "--output", "json"]).ends(1);
    told.run(&["history"]).ends(0);
    told.run(&["status", "--output", "json"]).ends(0);
    told.nowhere();
}

#[test]
fn a_new_value_is_the_same_release() {
    let mut told = Told::new("");
    told.run(&["deploy"]).ends(0);
    told.place.write("database_url", "postgres://elsewhere");
    told.run(&["plan"]).ends(0).says("nothing changed");
}
