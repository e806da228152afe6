//! A first agent.toml for what lies in a folder; it is right as it is.

use crate::support::Place;

/// What it is, the files in it with their text, and the line that tells how the agent starts.
type Kind = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

#[test]
fn every_kind_of_folder() {
    let kinds: [Kind; 6] = [
        (
            "python",
            &[("app.py", "")],
            r#"command = ["python3", "app.py"]"#,
        ),
        (
            "node",
            &[(
                "package.json",
                r#"{"name":"chatty","scripts":{"start":"node ."}}"#,
            )],
            r#"command = ["npm", "start"]"#,
        ),
        (
            "rust",
            &[("Cargo.toml", "[package]\nname = \"crab\"\n")],
            r#"command = ["./target/release/crab"]"#,
        ),
        (
            "go",
            &[("go.mod", "module example.com/gopher\n")],
            r#"command = ["./gopher"]"#,
        ),
        (
            "docker",
            &[(
                "Dockerfile",
                "FROM x\nEXPOSE 9000\nCMD [\"./serve\", \"--all\"]\n",
            )],
            r#"command = ["./serve", "--all"]"#,
        ),
        ("nothing", &[], r#"command = ["./start.sh"]"#),
    ];
    for (kind, files, command) in kinds {
        let place = Place::empty();
        for (name, text) in files {
            place.write(name, text);
        }
        place.run(&["init"]).ends(0);
        let text = std::fs::read_to_string(place.path("agent.toml")).unwrap();
        assert!(text.contains(command), "{kind}: {text}");
        // What is built first is not there yet, and check says so.
        let built = match kind {
            "rust" => "target/release/crab",
            "go" => "gopher",
            _ => "README.md",
        };
        place.write(built, "");
        place
            .run(&["check"])
            .exactly(0, "", "agent.toml is right\n");
        place.run(&["init"]).ends(2).says("--force");
        place.run(&["init", "--force"]).ends(0);
    }
}

#[test]
fn a_python_project_gives_its_name_and_an_empty_folder_is_told() {
    let place = Place::empty();
    place.write("main.py", "");
    place.write("pyproject.toml", "[project]\nname = \"helper\"\n");
    place.run(&["init"]).ends(0).says("next: agentctl check");
    let text = std::fs::read_to_string(place.path("agent.toml")).unwrap();
    assert!(text.contains(r#"name = "helper""#), "{text}");
    let empty = Place::empty().run(&["init"]).ends(0);
    empty.says("nothing here tells how the agent starts: name its program in run.command");
}

#[test]
fn another_folder() {
    let place = Place::empty();
    place.write("bot/main.py", "");
    place.run(&["init", "bot"]).ends(0).says("bot/agent.toml");
    place.run(&["check", "-f", "bot/agent.toml"]).ends(0);
    place.run(&["init", "nowhere"]).ends(2);
}
