use super::good;
use crate::spec::{Folder, starter};

fn folder(name: &str, entries: &[&str]) -> Folder {
    Folder {
        name: name.to_owned(),
        entries: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        ..Folder::default()
    }
}

/// Name, command and files of the proposal, which must load.
fn proposed(folder: &Folder) -> String {
    let spec = good(&starter(folder).unwrap()).spec;
    let words: Vec<String> = spec.run.command.iter().map(ToString::to_string).collect();
    let (name, files) = (spec.agent.name, spec.run.files.join(" "));
    format!("{name}: {} ({files})", words.join(" "))
}

fn check(folder: &Folder, proposal: &str) {
    assert_eq!(proposed(folder), proposal, "{folder:?}");
}

#[test]
fn python() {
    check(
        &folder("My Agent", &["app.py", "main.py"]),
        "my-agent: python3 app.py (.)",
    );
    check(
        &folder("x", &["pyproject.toml", "main.py"]),
        "x: python3 main.py (.)",
    );
    check(&folder("x", &["requirements.txt"]), "x: python3 -m app (.)");
}

#[test]
fn node() {
    let mut node = folder("x", &["package.json", "index.js"]);
    check(&node, "x: node index.js (.)");
    node.node_name = Some("@team/chat_bot".to_owned());
    node.node_start = Some("node .".to_owned());
    check(&node, "chat-bot: npm start (.)");
}

#[test]
fn rust_and_go_deploy_the_binary_and_say_what_builds_it() {
    let mut rust = folder("x", &["Cargo.toml"]);
    rust.rust_package = Some("agent-rs".to_owned());
    let binary = "target/release/agent-rs";
    check(&rust, &format!("agent-rs: ./{binary} ({binary})"));
    let mut go = folder("x", &["go.mod"]);
    go.go_module = Some("example.com/team/bot".to_owned());
    check(&go, "bot: ./bot (bot)");
    assert!(
        starter(&go)
            .unwrap()
            .contains("# Build it first: go build -o bot .\n")
    );
}

#[test]
fn docker() {
    let mut docker = folder("x", &["Dockerfile"]);
    check(&docker, "x: ./start.sh (.)");
    docker.docker_port = Some(9000);
    docker.docker_command = Some(vec!["run".to_owned(), "--x=${Y}".to_owned()]);
    check(&docker, "x: run --x=$${Y} (.)");
    assert_eq!(good(&starter(&docker).unwrap()).spec.run.port, 9000);
}

#[test]
fn an_unknown_folder_gets_a_proposal_to_change() {
    check(&folder("…", &[]), "agent: ./start.sh (.)");
    assert!(
        !starter(&Folder::default())
            .unwrap()
            .contains("Build it first")
    );
}

#[test]
fn names_cannot_break_out_of_their_quotes() {
    let mut hostile = folder("{{ 1 }}", &[]);
    hostile.rust_package = Some("\"]\n[evil]\n".to_owned());
    check(
        &hostile,
        "evil: ./target/release/evil (target/release/evil)",
    );
    let mut hostile = folder("x", &[]);
    hostile.docker_command = Some(vec!["\"\n\u{7f}\\]".to_owned(), "{{ 1 }}".to_owned()]);
    check(&hostile, "x: \"\n\u{7f}\\] {{ 1 }} (.)");
}
