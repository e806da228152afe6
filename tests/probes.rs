//! Synthetic conversations with a release: before it has traffic, and by hand.

use crate::support::Place;

const SUITES: &str = r#"
[[rollout.probe]]
name = "talks"
suite = "smoke"
turns = [
  { request = { path = "/", method = "POST", headers = { X-Conversation-Id = "{conversation}" }, json = { message = "hi" } }, expect = { json = "$.reply", matches = "^hello$" } },
  { request = { path = "/", method = "POST", headers = { X-Conversation-Id = "{conversation}" } }, expect = { matches = "\"release\": *\"r[0-9]+\"" } },
]
[[rollout.probe]]
name = "streams"
request = { path = "/stream/3" }
expect = { events = 3, first_within = "20s", within = "30s" }
"#;

#[test]
fn by_hand_and_as_ci_reads_them() {
    let place = Place::deployed(SUITES);
    let ran = place.run(&["probe", "--junit", "report.xml"]).ends(0);
    assert!(
        ran.stderr.ends_with("2 probes passed on r1\n"),
        "{}",
        ran.stderr
    );
    let report = place.read("report.xml");
    assert!(
        report.contains("<testsuite name=\"bot\" tests=\"2\" failures=\"0\">"),
        "{report}"
    );
    assert!(
        report.contains("<testcase classname=\"smoke\" name=\"talks\" "),
        "{report}"
    );
    let ran = place
        .run(&["probe", "--suite", "smoke", "--output", "json"])
        .ends(0);
    let result = &ran.json()[0]["result"];
    assert_eq!(result["outcome"], "passed");
    assert_eq!(result["probes"][0]["name"], "talks");
    place.run(&["probe", "--release", "r9"]).exactly(
        2,
        "",
        "\
error: r9 of bot has no replica that is ready
hint: agentctl status shows what runs
",
    );
    place.run(&["probe", "--suite", "load"]).exactly(
        2,
        "",
        "\
error: no probe belongs to the suite \"load\"
hint: suite = \"…\" in a [[rollout.probe]] says which one it belongs to
",
    );
}

#[test]
fn what_is_not_as_expected_is_said() {
    let place = Place::deployed("");
    place.spec(&SUITES.replace("^hello$", "^good day$"));
    let ran = place.run(&["probe", "--junit", "report.xml"]).ends(1);
    let says = "turn 1: r1-1 answered nothing like ^good day$: hello\n";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
    assert!(
        ran.stderr.ends_with("1 of 2 probes passed on r1\n"),
        "{}",
        ran.stderr
    );
    let report = place.read("report.xml");
    assert!(
        report.contains("<failure message=\"turn 1: r1-1 answered nothing like"),
        "{report}"
    );
    // Before any traffic, the same undoes a deploy.
    place.run(&["deploy"]).ends(0).says("nothing changed");
    place.spec(&format!(
        "run.env.ANSWER = \"two\"\n{}",
        SUITES.replace("^hello$", "^good day$")
    ));
    place
        .run(&["deploy"])
        .ends(1)
        .says("undoing   probe talks: turn 1: r2-1 answered nothing like ^good day$: two");
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn where_there_is_nothing_to_send_or_to_ask() {
    let place = Place::new("");
    place.run(&["probe"]).exactly(
        2,
        "",
        "\
error: agent.toml has no probes
hint: add a [[rollout.probe]] with a request and what is expected
",
    );
    place.spec(SUITES);
    place.run(&["probe"]).exactly(
        2,
        "",
        "\
error: nothing of bot runs here
hint: agentctl status shows what runs
",
    );
}
