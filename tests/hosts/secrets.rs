//! A secret's value reaches the agent, by a variable or by a file, and is nowhere else.

use super::Hosted;
use crate::support::engine::docker;

const ENV: &str = "sk-live-3f9a2c7e51";
const FILE: &str = concat!("postgres:", "//bot:hunter22@db/agent");

const SPEC: &str = r#"
[secrets]
API_KEY = { env = "API_KEY_OF_TEST" }
DATABASE_URL = { file = "database_url" }
"#;

#[test]
fn reach_the_agent_and_nothing_else() {
    let Some(host) = Hosted::new("secrets", SPEC) else {
        return;
    };
    host.place.write("database_url", format!("{FILE}\n"));
    host.place.write(".dockerignore", "database_url\n");
    let mut deploy = host.command(&["deploy", "-vv"]);
    let deployed = host
        .place
        .finish(deploy.env("API_KEY_OF_TEST", ENV))
        .ends(0);
    let env: serde_json::Value = serde_json::from_str(&host.place.get("/env").1).unwrap();
    assert_eq!(env["API_KEY"], ENV);
    assert_eq!(env["DATABASE_URL_FILE"], "/run/secrets/DATABASE_URL");
    let replica = host.container("r1-1");
    let read = docker(&["exec", &replica, "cat", "/run/secrets/DATABASE_URL"]);
    assert_eq!(read.unwrap(), FILE);
    let labels = host.inspect(&replica, "{{json .Config.Labels}}");
    let image = host.inspect(&replica, "{{.Image}}");
    let image = docker(&["image", "inspect", &image]).unwrap()
        + &docker(&["history", "--no-trunc", &image]).unwrap();
    let edge = docker(&["inspect", &host.edge()]).unwrap();
    let told = ["status", "history", "logs", "plan"].map(|verb| host.run(&[verb]).stdout);
    for secret in [ENV, FILE] {
        for text in [&labels, &image, &edge, &deployed.stderr, &told.concat()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    host.run(&["stop", "--now"]).ends(0);
    let mut deploy = host.command(&["deploy"]);
    host.place
        .finish(deploy.env("API_KEY_OF_TEST", ENV))
        .ends(0);
    let read = docker(&["exec", &replica, "cat", "/run/secrets/DATABASE_URL"]);
    assert_eq!(read.unwrap(), FILE, "what is in memory is there again");
}
