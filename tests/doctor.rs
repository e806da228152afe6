//! What a deploy needs, looked at before one.

use crate::support::Place;

#[test]
fn all_is_well() {
    let place = Place::new("");
    let ran = place.run(&["doctor"]).ends(0);
    for line in [
        "✓  agent.toml  bot can be deployed",
        "·  secrets     none are named",
        "✓  program     ",
        "✓  address     port ",
        "✓  state       is kept in ",
    ] {
        assert!(ran.stdout.contains(line), "{line}:\n{}", ran.stdout);
    }
    assert!(!place.path("state").exists(), "nothing was made");
}

#[test]
fn what_is_missing_is_said_at_once() {
    let place =
        Place::new("run.command = [\"no-such-program\"]\n[secrets]\nKEY = { env = \"NOT_SET\" }\n");
    place
        .run(&["doctor"])
        .ends(2)
        .says("✗  secrets     ")
        .says("✗  program     there is no program no-such-program")
        .says("    hint: ");
    let ran = place.run(&["doctor", "--output", "json"]).ends(2);
    let findings = ran.json()[0]["findings"].as_array().unwrap().clone();
    let wrong: Vec<_> = findings
        .iter()
        .filter(|finding| finding["state"] == "wrong")
        .map(|finding| finding["about"].as_str().unwrap())
        .collect();
    assert_eq!(wrong, ["secrets", "program"]);
}
