use super::good;
use crate::spec::{Folder, starter};

fn folder(name: &str, entries: &[&str]) -> Folder {
    Folder {
        name: name.to_owned(),
        entries: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        ..Folder::default()
    }
}

#[test]
fn what_is_proposed_loads() {
    let some = |text: &str| Some(text.to_owned());
    let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    let cases = [
        (
            folder("My Agent", &["app.py", "main.py"]),
            "my-agent",
            vec!["python3", "app.py"],
            ".",
        ),
        (
            folder("x", &["pyproject.toml", "main.py"]),
            "x",
            vec!["python3", "main.py"],
            ".",
        ),
        (
            folder("x", &["requirements.txt"]),
            "x",
            vec!["python3", "-m", "app"],
            ".",
        ),
        (
            folder("x", &["package.json", "index.js"]),
            "x",
            vec!["node", "index.js"],
            ".",
        ),
        (
            Folder {
                node_name: some("@team/chat_bot"),
                node_start: some("node ."),
                ..folder("x", &["package.json"])
            },
            "chat-bot",
            vec!["npm", "start"],
            ".",
        ),
        (
            Folder {
                rust_package: some("agent-rs"),
                ..folder("x", &["Cargo.toml"])
            },
            "agent-rs",
            vec!["./target/release/agent-rs"],
            "target/release/agent-rs",
        ),
        (
            Folder {
                go_module: some("example.com/team/bot"),
                ..folder("x", &["go.mod"])
            },
            "bot",
            vec!["./bot"],
            "bot",
        ),
        (
            Folder {
                docker_command: list(&["run", "--x=${Y}", "\"\n\u{7f}"]),
                docker_port: Some(9000),
                ..folder("x", &["Dockerfile"])
            },
            "x",
            vec!["run", "--x=$${Y}", "\"\n\u{7f}"],
            ".",
        ),
        (folder("x", &["Dockerfile"]), "x", vec!["./start.sh"], "."),
        (folder("…", &[]), "agent", vec!["./start.sh"], "."),
        (
            Folder {
                rust_package: some("\"]\n[evil]\n"),
                ..folder("{{ 1 }}", &[])
            },
            "evil",
            vec!["./target/release/evil"],
            "target/release/evil",
        ),
    ];
    for (folder, name, command, file) in cases {
        let spec = good(&starter(&folder).unwrap()).spec;
        let words: Vec<String> = spec.run.command.iter().map(ToString::to_string).collect();
        assert_eq!(spec.agent.name, name);
        assert_eq!(words, command);
        assert_eq!(spec.run.files, [file]);
        assert_eq!(spec.run.port, folder.docker_port.unwrap_or(8000));
    }
}

#[test]
fn a_binary_says_what_builds_it() {
    let go = Folder {
        go_module: Some("example.com/bot".to_owned()),
        ..Folder::default()
    };
    assert!(
        starter(&go)
            .unwrap()
            .contains("# Build it first: go build -o bot .\n")
    );
    assert!(
        !starter(&Folder::default())
            .unwrap()
            .contains("Build it first")
    );
}
