//! What a release goes back to that is not there any more, and what is waited for at the end.

use super::{Host, STORE, TOOLS};
use crate::support::engine::{docker, there_is_a_tiny_image};

#[test]
fn a_release_whose_tool_was_removed_is_gone_back_to_with_a_warning() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-without", STORE);
    host.run(&["deploy"]).ends(0).says("r1 is live");
    // What stands beside a release may come later than the release.
    host.spec("", &format!("{STORE}{}", only("search")));
    host.run(&["deploy"])
        .ends(0)
        .says("search is started")
        .says("nothing changed");
    host.spec("run.env.MORE = \"1\"", STORE);
    host.run(&["deploy"]).ends(0).says("search is removed");
    let back = host.run(&["rollback"]).ends(0);
    back.says(
        "warning: r1 was deployed beside search, removed since; agentctl deploy with the agent.toml of \
         then brings that back",
    )
    .says("r1 is live");
    let back = host.run(&["rollback", "--to", "r2"]).ends(0);
    assert!(!back.stderr.contains("warning"), "{}", back.stderr);
}

/// Of the tools.
fn only(name: &str) -> &'static str {
    let mut tables = TOOLS.split("\n\n");
    let head = format!("[tools.{name}]");
    tables.find(|table| table.contains(&head)).unwrap()
}

#[test]
fn what_is_waited_for_at_the_end_is_said() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-waits", &format!("{STORE}{TOOLS}"));
    host.run(&["deploy"]).ends(0);
    host.run(&["stop", "--now"])
        .ends(0)
        .says("stopping search, store (30 s at most)\n");
    let again = host.run(&["stop", "--now"]).ends(0);
    assert!(!again.stderr.contains("stopping"), "{}", again.stderr);
}

#[test]
fn an_image_that_was_only_here_is_asked_of_no_registry() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-image", "");
    host.run(&["deploy"]).ends(0).says("r1 is live");
    let image = ["inspect", "--format", "{{.Config.Image}}"];
    let image = docker(&[&image[..], &[&host.named("-r1-1")]].concat()).unwrap();
    let other = host.place.read("Dockerfile") + "ENV OTHER=1\n";
    host.place.write("Dockerfile", other);
    host.run(&["deploy"]).ends(0).says("r2 is live");
    docker(&["rmi", "-f", &image]).unwrap();
    let gone = host.run(&["rollback"]).ends(2);
    assert!(!gone.stderr.contains("registry-1"), "{}", gone.stderr);
    gone.says("error: could not start r1\n")
        .says("caused by: its image is not on this host any more, and no registry keeps it\n")
        .says("hint: agentctl rollback --to names another release");
    host.run(&["status"]).ends(0).says("1/1 ready");
}

#[test]
fn a_command_is_started_instead_of_what_ones_own_dockerfile_says() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-command", "");
    host.run(&["deploy"]).ends(0).says("r1 is live");
    let script = "trap exit TERM; mkdir /tmp/w; echo 1 >/tmp/w/ready; httpd -p $HOST:$PORT -h /tmp/w; while :; do sleep 0.1; done";
    let command = format!("run.command = [\"sh\", \"-c\", \"{script}\"]");
    host.spec(&command, "");
    host.run(&["deploy"]).ends(0).says("r2 is live");
    let served = host.inside("-r2-1", &["cat", "/tmp/w/ready"]);
    assert_eq!(served, "1");
    host.spec("run.command = [\"nosuchprogram\"]", "");
    host.run(&["deploy"]).ends(1).says("nosuchprogram");
    host.run(&["status"]).ends(0).says("1/1 ready");
}
