//! Wrong input: one clear error, exit 2, and nothing is changed.
//!
//! `bad_input.txt` has a title, what is wrong in agent.toml, and what stderr then says, exactly.
//! With REWRITE=1 in the environment what is said now is written there, to be judged as a diff.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::support::{Place, Ran, repository};

struct Case {
    title: String,
    wrong: String,
    says: String,
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(repository().join("tests/bad_input.txt")).unwrap();
    let cases = text.split("=== ").skip(1);
    cases
        .map(|case| {
            let (title, rest) = case.split_once('\n').unwrap();
            let (wrong, says) = rest.split_once("---\n").unwrap_or((rest, ""));
            let [title, wrong, says] = [title, wrong, says].map(str::to_owned);
            Case { title, wrong, says }
        })
        .collect()
}

/// What stands in the file if the case says nothing of it.
fn spec(wrong: &str) -> String {
    let needed = ["agent.name = \"bot\"\n", "run.command = [\"true\"]\n"];
    let missing = needed.into_iter().filter(|line| {
        let key = line.split(" = ").next().unwrap();
        !wrong.contains(key)
    });
    missing.collect::<String>() + wrong
}

#[track_caller]
fn nothing_changed(place: &Place) {
    assert!(!place.path("state").exists());
}

#[test]
fn every_kind_of_mistake() {
    let place = Place::empty();
    let mut rewritten = String::new();
    for Case { title, wrong, says } in cases() {
        place.write("agent.toml", spec(&wrong));
        let deploy = place.run(&["deploy"]);
        let said = deploy.stderr.clone();
        rewritten += &format!("=== {title}\n{wrong}---\n{said}");
        if std::env::var_os("REWRITE").is_none() {
            assert_eq!(
                (deploy.code, deploy.stdout, said),
                (2, String::new(), says),
                "{title}"
            );
            nothing_changed(&place);
        }
    }
    if std::env::var_os("REWRITE").is_some() {
        fs::write(repository().join("tests/bad_input.txt"), rewritten).unwrap();
    }
}

#[test]
fn each_verb_that_needs_the_file_says_the_same() {
    let place = Place::empty();
    place.write("agent.toml", spec("run.replica = 3\n"));
    let deploy = place.run(&["deploy"]).ends(2).stderr;
    for args in [&["check"][..], &["plan"], &["config", "show"]] {
        assert_eq!(place.run(args).ends(2).stderr, deploy);
    }
    nothing_changed(&place);
}

/// Someone on call is not held up by an edit that went wrong.
#[test]
fn the_others_need_only_the_name_in_it() {
    let place = Place::deployed("");
    place.spec("run.replica = 3\n");
    for verb in ["status", "history", "logs"] {
        place.run(&[verb]).ends(0);
    }
    place
        .run(&["rollback"])
        .ends(2)
        .says("no good release before r1");
}

#[test]
fn check_looks_at_every_environment() {
    let place = Place::new("[environments.staging]\nrun.env.FROM = \"${AGENTCTL_NOT_SET}\"\n");
    place.run(&["check"]).ends(0).says(
        "not checked: staging, whose variables are not all set here; see agentctl check -e staging",
    );
    place.run(&["check", "-e", "staging"]).ends(2);
    place.spec("[environments.prod]\nrollout.strategy = \"rolling\"\nrollout.max_surge = 0\nrollout.max_unavailable = 0\n");
    place
        .run(&["check"])
        .ends(2)
        .says("agentctl check -e prod says:")
        .says("max_surge");
    nothing_changed(&place);
}

#[test]
fn an_environment_that_is_not_there() {
    let place = Place::new("[environments.staging]\nrun.replicas = 2\n");
    place.run(&["deploy", "-e", "stagin"]).exactly(
        2,
        "",
        "\
error: agent.toml has no environment \"stagin\"
 --> agent.toml
  = hint: it has staging
",
    );
    let place = Place::new("");
    place
        .run(&["deploy", "-e", "staging"])
        .ends(2)
        .says("staging");
    nothing_changed(&place);
}

#[test]
fn files_that_are_no_agent_toml() {
    let place = Place::empty();
    let missing = place.run(&["deploy"]);
    missing.exactly(
        2,
        "",
        "\
error: could not read agent.toml
  caused by: No such file or directory (os error 2)
hint: agentctl init writes a first agent.toml; -f names one elsewhere
",
    );
    fs::create_dir(place.path("folder")).unwrap();
    place.write("a-file", "");
    let through = place.run(&["deploy", "-f", "a-file/agent.toml"]);
    through.exactly(
        2,
        "",
        "\
error: could not read a-file/agent.toml
  caused by: Not a directory (os error 20)
hint: -f names one elsewhere
",
    );
    place.run(&["deploy", "-f", "folder"]).exactly(
        2,
        "",
        "\
error: folder is a folder
hint: name the file in it: -f folder/agent.toml
",
    );
    let deep = |open: &str, close: &str| format!("a = {}{}", open.repeat(5000), close.repeat(5000));
    let bomb = "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1\n";
    let wide = |line: &dyn Fn(u32) -> String| (0..200_000).map(line).collect::<String>();
    let cases: [(&str, Vec<u8>); 8] = [
        ("empty", Vec::new()),
        ("not-utf8", b"agent.name = \"b\xff\xfet\"".to_vec()),
        ("large", vec![b'#'; 10 * 1024 * 1024]),
        ("deep-lists", deep("[", "]").into()),
        ("deep-tables", deep("{ a = ", " }").into()),
        ("deep-keys", bomb.repeat(1000).into()),
        ("bomb-of-keys", wide(&|n| format!("k{n}.x = 1\n")).into()),
        (
            "bomb-of-tables",
            wide(&|n| format!("[[t]]\nx{n} = 1\n")).into(),
        ),
    ];
    let mut said = String::new();
    for (name, bytes) in cases {
        place.write(name, bytes);
        said += first_line(&place.run(&["deploy", "-f", name]).ends(2));
    }
    assert_eq!(
        said,
        "\
error: empty is empty
error: not UTF-8: byte 0xff at offset 15
error: large has 10485760 bytes; agentctl reads at most 1048576 (1 MiB)
error: nested deeper than 32 levels
error: nested deeper than 32 levels
error: nested deeper than 32 levels
error: bomb-of-keys has 2688890 bytes; agentctl reads at most 1048576 (1 MiB)
error: bomb-of-tables has 3488890 bytes; agentctl reads at most 1048576 (1 MiB)
"
    );
    nothing_changed(&place);
}

/// The picture under it is no longer than a screen, however long the file's own lines are.
#[track_caller]
fn first_line(ran: &Ran) -> &str {
    assert!(ran.stderr.len() < 1000, "{} bytes", ran.stderr.len());
    ran.stderr.split_inclusive('\n').next().unwrap()
}

#[test]
fn files_that_deploy_would_not_take() {
    let place = Place::new("run.files = [\"agent.py\", \"missing.py\"]");
    let says = "missing.py does not exist beside agent.toml";
    place
        .run(&["check"])
        .ends(0)
        .says(&format!("deploy would refuse it: {says}\n"));
    place.run(&["deploy"]).ends(2).says(says);
    let pipe = Command::new("mkfifo")
        .arg(place.path("missing.py"))
        .status();
    assert!(pipe.unwrap().success());
    let says = "is neither a file, a folder nor a link";
    place.run(&["check"]).ends(0).says(says);
    place.run(&["deploy"]).ends(2).says(says);
    nothing_changed(&place);
}

#[test]
fn a_port_in_use() {
    let place = Place::new("");
    let _other = TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    place.run(&["deploy"]).exactly(
        2,
        "",
        "\
error: could not open 127.0.0.1:PORT for bot
  caused by: Address already in use (os error 98)
hint: see who has it: ss -ltnp 'sport = :PORT'; or set another run.port
",
    );
    nothing_changed(&place);
}

#[test]
fn a_port_in_use_after_an_edit() {
    let place = Place::deployed("");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let (processes, files) = (place.processes(), place.kept());
    place.spec(&format!("run.port = {port}"));
    place
        .run(&["deploy"])
        .ends(2)
        .says("Address already in use");
    assert_eq!((place.processes(), place.kept()), (processes, files));
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn flags_that_are_none() {
    let place = Place::empty();
    place
        .run(&["deploi"])
        .ends(2)
        .says("similar subcommand exists: 'deploy'");
    place.run(&["deploy", "--forse"]).ends(2).says("--forse");
    place.run(&[]).ends(2).says("Usage: agentctl");
    place.run(&["status", "-q", "-v"]).ends(2);
}
