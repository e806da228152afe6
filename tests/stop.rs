//! An agent that is stopped: at once, after what is open, and in the middle of something.

use crate::support::{CANARY, Place, eventually};

const TALKS: &str = "drain.idle = \"1h\"\ndrain.conversations = \"1h\"\n";

#[test]
fn whoever_waits_for_conversations_can_be_hurried() {
    let place = Place::deployed(TALKS);
    assert_eq!(place.ask_in("anna", "release"), "r1");
    let stop = place.start(&["stop"]);
    stop.until("waiting for 1 open conversations; agentctl stop --now does not");
    eventually("it has begun", || {
        let ran = place.run(&["status"]).ends(0);
        ran.stdout
            .contains("next: it is being stopped; agentctl stop --now")
    });
    place
        .run(&["stop", "--now"])
        .ends(0)
        .says("asked whoever stops it to wait no longer\nbot is stopped;");
    stop.wait().ends(0).says("bot is stopped");
    eventually("nothing runs", || place.processes().is_empty());
}

#[test]
fn a_deploy_meanwhile_is_no_failed_one() {
    let place = Place::deployed(TALKS);
    assert_eq!(place.ask_in("anna", "release"), "r1");
    let stop = place.start(&["stop"]);
    stop.until("waiting for 1 open");
    eventually("it has begun", || {
        let ran = place.run(&["status"]).ends(0);
        ran.stdout.contains("it is being stopped")
    });
    stop.kill();
    place
        .run(&["deploy"])
        .ends(2)
        .says("error: bot is being stopped, and waits for what is open\n")
        .says("hint: agentctl status shows what that is; agentctl stop --now");
    assert_eq!(place.outcomes(), ["completed"]);
    place.run(&["stop", "--now"]).ends(0);
    place.run(&["deploy"]).ends(0).says("r1 is live");
}

/// Else `abort` or `resume` would start it again.
#[test]
fn a_rollout_ends_with_it() {
    let place = Place::deployed("");
    let two = format!("run.env.ANSWER = \"two\"\n{CANARY}");
    place.deploy_until(&two, "holding at 50 %").kill();
    place.run(&["stop", "--now"]).ends(0);
    assert_eq!(place.outcomes(), ["rolled_back", "completed"]);
    let status = place.run(&["status"]).ends(0);
    assert!(status.stdout.contains("nothing runs: agentctl deploy"));
    assert!(!status.stdout.contains("next: "), "{}", status.stdout);
    for verb in ["abort", "resume"] {
        place.run(&[verb]).ends(2);
    }
    assert!(place.processes().is_empty());
    place.spec("");
    place.run(&["deploy"]).ends(0).says("r1 is live");
}
