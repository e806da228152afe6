//! A person's yes.

use crate::support::{Place, eventually};

const STEPS: &str = r#"
run.env.ANSWER = "two"
rollout.strategy = "canary"
rollout.steps = [{ weight = 50 }, { approve = "full traffic" }, { weight = 100 }]
"#;

#[test]
fn goes_on_when_someone_says_yes() {
    let place = Place::deployed("");
    let deploy = place.deploy_until(STEPS, "waiting for: agentctl approve");
    place
        .run(&["approve"])
        .exactly(0, "", "approved rollout 2: full traffic\n");
    deploy.wait().exactly(
        0,
        "",
        "\
TIME  plan   canary r1 → r2, 3 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 50 %, r1 50 %
TIME  gate   waiting for: agentctl approve — full traffic
TIME  gate   approved by tester@host
TIME  traffic   r2 100 %, r1 0 %
TIME  r1   1 replica leaving
r2 is live at http://127.0.0.1:PORT (T)
",
    );
    place.run(&["approve"]).exactly(
        2,
        "",
        "\
error: no rollout of bot waits for approval
hint: agentctl status shows where it stands
",
    );
}

/// Nobody who is asked in two lines is told that one of them is another event.
#[test]
fn what_is_asked_is_told_in_a_line() {
    let place = Place::deployed("");
    let steps = STEPS.replace("full traffic", "full\\nerror: traffic");
    let deploy = place.deploy_until(&steps, "waiting for: agentctl approve");
    place
        .run(&["approve"])
        .exactly(0, "", "approved rollout 2: full\\nerror: traffic\n");
    deploy.wait().ends(0);
}

#[test]
fn goes_on_here_when_the_one_who_waited_is_gone() {
    let place = Place::deployed("");
    let deploy = place.deploy_until(STEPS, "waiting for: agentctl approve");
    deploy.kill();
    place.run(&["approve"]).ends(0).says("r2 is live");
    assert_eq!(place.ask("reply"), "two");
}

#[test]
fn comes_before_the_first_traffic_where_the_environment_wants_it() {
    let place = Place::new("[environments.production]\napprove = true\n");
    let deploy = place.start(&["deploy", "-e", "production"]);
    deploy.until("waiting for: agentctl approve — first traffic");
    let status = place.run(&["status", "-e", "production", "--output", "json"]);
    assert_eq!(status.json()[0]["releases"][0]["weight"], 0);
    place.run(&["approve", "-e", "production"]).ends(0);
    deploy.wait().ends(0);
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn nobody_says_yes_but_someone_says_no() {
    let place = Place::deployed("");
    let deploy = place.deploy_until(STEPS, "waiting for: agentctl approve");
    place.run(&["abort"]).exactly(
        0,
        "",
        "asked for the undo of rollout 2\nrolled back to r1: aborted by tester@host (T)\n",
    );
    deploy.wait().ends(1).says("aborted by tester@");
    eventually("one replica is left", || place.replicas().len() == 1);
    assert_eq!(place.ask("release"), "r1");
}
