//! How it prints: where to, in which colours, and for programs.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use crate::support::{CANARY, Place, eventually};

const ESCAPE: char = '\u{1b}';

#[test]
fn colours() {
    let place = Place::deployed("");
    let coloured = |args: &[&str], env: Option<&str>| {
        let mut command = place.command(args);
        command.envs(env.map(|value| ("NO_COLOR", value)));
        place.finish(&mut command).ends(0).stdout.contains(ESCAPE)
    };
    let cases: [(&[&str], Option<&str>, bool); 6] = [
        (&["status"], None, false),
        (&["status", "--color", "always"], None, true),
        (&["--color", "always", "status"], None, true),
        (&["status", "--color", "never"], None, false),
        (&["status"], Some("1"), false),
        (&["status", "--color", "always"], Some("1"), true),
    ];
    for (args, no_color, wanted) in cases {
        assert_eq!(coloured(args, no_color), wanted, "{args:?} {no_color:?}");
    }
}

#[test]
fn quiet() {
    let place = Place::new("");
    place
        .run(&["check", "-q"])
        .exactly(0, "", "agent.toml is right\n");
    place
        .run(&["deploy", "-q"])
        .exactly(0, "", "r1 is live at http://127.0.0.1:PORT (T)\n");
    let nothing = "nothing changed: r1 of bot is live at http://127.0.0.1:PORT\n";
    place.run(&["deploy", "--quiet"]).exactly(0, "", nothing);
    place.run(&["status", "--quiet"]).ends(0).says("r1  stable");
    place
        .run(&["rollback", "-q"])
        .ends(2)
        .says("error: there is no good release");
}

#[test]
fn verbose() {
    let place = Place::new("");
    place.run(&["deploy", "-v"]).exactly(
        0,
        "",
        "\
TIME  plan   first deploy r1, 1 step
TIME  seen   r1 0/0 ready; traffic r1 0 %
TIME  r1   1 replica started
TIME  r1   1 of 1 ready
TIME  traffic   r1 100 %
r1 is live at http://127.0.0.1:PORT (T)
",
    );
}

#[test]
fn a_rollout_as_json_lines() {
    let place = Place::new("");
    let ran = place.run(&["deploy", "--output", "json"]).ends(0);
    assert_eq!(ran.stderr, "");
    let lines = ran.json();
    assert!(
        lines
            .iter()
            .all(|line| line["v"] == 1 && line["agent"] == "bot" && line["rollout"] == 1)
    );
    let events = lines.iter().filter_map(|line| line.get("event"));
    let names: Vec<_> = events
        .map(|event| event.as_object().unwrap().keys().next().unwrap().as_str())
        .collect();
    assert_eq!(
        names,
        ["planned", "observed", "done", "done", "done", "finished"]
    );
    let last = lines.last().unwrap();
    assert_eq!(last["result"]["outcome"], "completed");
    assert_eq!(last["result"]["exit"], 0);
    assert_eq!(
        last["result"]["url"],
        format!("http://127.0.0.1:{}", place.port)
    );
}

#[test]
fn nothing_changed_as_json() {
    let place = Place::deployed("");
    let ran = place.run(&["deploy", "--output", "json"]).ends(0);
    let url = format!("http://127.0.0.1:{}", place.port);
    let said = serde_json::json!({
        "v": 1,
        "result": { "outcome": "unchanged", "exit": 0, "release": "r1", "url": url }
    });
    assert_eq!(ran.json(), [said]);
}

#[test]
fn an_error_as_json() {
    let place = Place::new("run.replica = 3");
    let ran = place.run(&["deploy", "--output", "json"]).ends(2);
    let [line] = &ran.json()[..] else {
        panic!("{ran:?}");
    };
    assert_eq!(line["v"], 1);
    assert_eq!(line["error"]["exit"], 2);
    assert!(ran.stderr.starts_with("error: "));
}

#[test]
fn heartbeats_while_it_holds() {
    let place = Place::deployed("");
    place.spec(&format!("run.env.ANSWER = \"two\"\n{CANARY}"));
    let deploy = place.start(&["deploy", "--output", "json"]);
    let holding = || {
        std::fs::read_to_string(&deploy.out)
            .unwrap()
            .contains("\"doing\":\"holding at 50 %")
    };
    eventually("a heartbeat of the hold", holding);
    deploy.kill();
}

/// A reader that goes away ends nothing but the printing.
#[test]
fn a_closed_pipe() {
    let place = Place::deployed("");
    place.spec("run.replicas = 2");
    let closed = || {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        Stdio::from(write)
    };
    for args in [
        &["schema"][..],
        &["history"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let mut command = place.command(args);
        let ended = command
            .stdout(closed())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ended = ended.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(
            (ended.status.code(), said.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
    }
    let mut deploy = place.command(&["deploy", "--output", "json"]);
    let ended = deploy.stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn a_full_disk_is_told() {
    let place = Place::new("");
    let mut command = place.command(&["schema"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let ended = ended.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_ne!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}

#[test]
fn completions() {
    let place = Place::empty();
    for (shell, mark) in [
        ("bash", "complete -F _agentctl"),
        ("zsh", "#compdef agentctl"),
        ("fish", "complete -c agentctl"),
    ] {
        let ran = place
            .run(&["completions", shell])
            .ends(0)
            .says(mark)
            .says("rollback");
        assert!(
            !ran.stdout.contains("edge)") && !ran.stdout.contains("\"edge\""),
            "{shell} offers what is hidden"
        );
    }
    place.run(&["completions", "tcsh"]).ends(2);
}

#[test]
fn manual_pages() {
    let place = Place::empty();
    place
        .run(&["man", "pages"])
        .exactly(0, "", "wrote manual pages into pages\n");
    let mut page = String::new();
    let mut file = File::open(place.path("pages/agentctl-deploy.1")).unwrap();
    file.read_to_string(&mut page).unwrap();
    assert!(page.contains(".TH agentctl"), "{page}");
    let names = std::fs::read_dir(place.path("pages")).unwrap().count();
    assert!(names > 15, "{names}");
}

#[test]
fn help_and_version() {
    let place = Place::empty();
    place
        .run(&["--help"])
        .ends(0)
        .says("4  someone else holds the lease");
    let version = format!("agentctl {}\n", env!("CARGO_PKG_VERSION"));
    place.run(&["--version"]).exactly(0, &version, "");
}

#[test]
fn the_schema_is_json() {
    let place = Place::empty();
    let ran = place.run(&["schema"]).ends(0);
    let schema: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(schema["properties"]["rollout"].is_object());
}

#[test]
fn the_origin_of_each_value() {
    let place = Place::new("[environments.staging]\nrun.replicas = 2\n");
    let ran = place.run(&["config", "show", "-e", "staging"]).ends(0);
    let line = |key: &str| {
        let found = ran.stdout.lines().find(|line| line.contains(key));
        found.unwrap_or_else(|| panic!("{}", ran.stdout)).to_owned()
    };
    assert!(line("replicas").contains("staging"), "{}", ran.stdout);
    assert!(line("grace").contains("agent.toml"), "{}", ran.stdout);
    assert!(line("timeout").contains("default"), "{}", ran.stdout);
}
