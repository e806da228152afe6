use super::{SMALL, bad, variables};
use crate::spec::Spec;
use crate::spec::limits::SIZE;

#[test]
fn deep_and_long_files_get_one_clear_error() {
    let deep = "nested deeper than 32 levels";
    let cases = [
        ("[".repeat(100_000), deep),
        (format!("a = {}", "[".repeat(100_000)), deep),
        (format!("a = {}1{}", "[".repeat(50), "]".repeat(50)), deep),
        (format!("a = {}", "{a=".repeat(100_000)), deep),
        (format!("{}a = 1", "a.".repeat(200_000)), deep),
        (format!("[{}a]", "a.".repeat(200_000)), deep),
        (format!("[[{}a]]", "a . ".repeat(100_000)), deep),
        (format!("{}a = 1", "\"a\".".repeat(100_000)), deep),
        (
            "a".repeat(SIZE + 1),
            "agent.toml has 1048577 bytes; agentctl reads at most 1048576 (1 MiB)",
        ),
        (
            "x".repeat(10_000_000),
            "agent.toml has 10000000 bytes; agentctl reads at most 1048576 (1 MiB)",
        ),
        ("\n".repeat(SIZE), "more than 20000 words and signs"),
        (String::new(), "agent.toml is empty"),
        ("# nothing\n\n".to_owned(), "agent.toml is empty"),
    ];
    for (text, message) in cases {
        let problems = bad(&text);
        assert_eq!((problems.len(), problems[0].message.as_str()), (1, message));
        assert!(problems[0].render().len() < 2000);
    }
}

#[test]
fn dots_that_are_not_depth_do_not_count() {
    let floats = vec!["0.5"; 1000].join(", ");
    super::good(&format!(
        "{SMALL}[config]\nsettings.a = [{floats}]\nsettings.b = \"{}\"",
        "a.".repeat(99)
    ));
}

#[test]
fn a_file_full_of_errors_is_told_in_part() {
    let text: String = (0..3_000).map(|at| format!("key{at} = 1\n")).collect();
    let problems = Spec::load(&text, "agent.toml", None, &variables).unwrap_err();
    assert_eq!(problems.list().len(), 20);
    assert!(problems.to_string().ends_with("… and 2981 more problems"));
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_place() {
    let load = |bytes: &[u8]| Spec::from_bytes(bytes, "agent.toml", None, &variables);
    let problems = load(b"[agent]\nname = \"\xff\"\n").unwrap_err();
    let problem = &problems.list()[0];
    assert_eq!((problem.line, problem.column), (2, 9));
    assert_eq!(problem.message, "not UTF-8: byte 0xff at offset 16");
    assert!(
        load(&vec![0xff; SIZE + 1])
            .unwrap_err()
            .to_string()
            .contains("at most 1048576")
    );
    assert!(load(SMALL.as_bytes()).is_ok());
    assert!(load(format!("\u{feff}{SMALL}").replace('\n', "\r\n").as_bytes()).is_ok());
}

#[test]
fn nothing_steers_the_terminal_and_no_line_is_too_long() {
    let long = "x".repeat(5000);
    for text in [
        "[run]\n\"\u{1b}[31m\u{202e}\" = 1 # \u{9b}31m\n".to_owned(),
        "a = \"\\u001b[31m\"\n[run]\n\"\\u001b]0;x\\u0007\" = 1".to_owned(),
        format!("[agent]\nname = \"{long}\" # {long}"),
        format!("\"{long}\" = 1"),
        format!("# {long}\n[agent]\nkind = \"\\u001b{long}\""),
    ] {
        for problem in bad(&text) {
            let shown = problem.render();
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!shown.contains(steers), "{shown:?}");
            assert!(
                shown.lines().all(|line| line.chars().count() < 450),
                "{shown}"
            );
        }
    }
}
