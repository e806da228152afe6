//! What a cluster would refuse is refused before it is asked, and what no file says is said.

use crate::support::Place;

const AGENT: &str = "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n[environments.prod.target.kubernetes]\nnamespace = \"agents\"\n";

#[test]
fn check_refuses_prompts_that_no_object_can_hold() {
    let place = Place::empty();
    place.write(
        "agent.toml",
        format!("{AGENT}[config]\nprompts = \"prompts\"\n"),
    );
    place.write("prompts/small.md", "Be brief.\n");
    place.run(&["check", "-e", "prod"]).ends(0);
    place.write("prompts/large.md", "long ".repeat(250_000));
    place
        .run(&["check", "-e", "prod"])
        .ends(2)
        .says("config and prompts have 1250058 bytes; a ConfigMap takes 1048576");
    let everywhere = place.run(&["check"]).ends(2);
    everywhere.says("agentctl check -e prod says:");
}

#[test]
fn a_value_is_in_no_file_and_who_applies_them_is_told() {
    let place = Place::empty();
    place.write(
        "agent.toml",
        format!("{AGENT}[secrets]\nKEY = {{ env = \"HOST_KEY\" }}\n"),
    );
    let mut command = place.command(&["render", "kubernetes", "-e", "prod"]);
    let ran = place.finish(command.env("HOST_KEY", "open-sesame")).ends(0);
    assert!(!ran.stdout.contains("open-sesame"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("kind: Secret\n"), "{}", ran.stdout);
    assert!(
        ran.stderr
            .contains("kubectl create secret generic bot-secrets --namespace agents"),
        "{}",
        ran.stderr
    );
    let quiet = place
        .run(&["render", "kubernetes", "-e", "prod", "-q"])
        .ends(0);
    assert_eq!(quiet.stderr, "");
}
