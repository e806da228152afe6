//! Agents that do not start, do not get ready, or do not stop: undone, and their own words shown.

use crate::support::{CANARY, Place, eventually};

/// The old release serves as before, by the same process.
#[track_caller]
fn as_before(place: &Place, replicas: &[u32]) {
    eventually("only the old replica is left", || {
        place.replicas() == replicas
    });
    assert_eq!(place.ask("release"), "r1");
    assert_eq!(place.outcomes(), ["rolled_back", "completed"]);
}

#[test]
fn a_command_that_is_not_there() {
    let place = Place::deployed("");
    let replicas = place.replicas();
    place.spec("run.command = [\"no-such-program\"]");
    place.run(&["deploy"]).exactly(
        1,
        "",
        "\
TIME  plan   rolling r1 → r2, 2 steps
TIME  r2   1 replica started
TIME  failing   r2-1 restarted 1 time: no such program: no-such-program
TIME  undoing   r2-1 no such program: no-such-program, 3 times in a row
TIME  evidence  DIR/state/agentctl/bot/evidence/0002
TIME  r2   1 replica leaving
rolled back to r1: r2-1 no such program: no-such-program, 3 times in a row (T)
evidence: DIR/state/agentctl/bot/evidence/0002
",
    );
    as_before(&place, &replicas);
}

#[test]
fn one_that_exits_at_once() {
    let place = Place::deployed("");
    let replicas = place.replicas();
    place.spec("run.env.LAST_WORDS = \"ValueError: no key\"");
    place
        .run(&["deploy"])
        .ends(1)
        .says("rolled back to r1: r2-1 exited with status 3, 3 times in a row")
        .says("  │ ValueError: no key\n");
    as_before(&place, &replicas);
}

#[test]
fn one_that_never_gets_ready() {
    let place = Place::deployed("");
    let replicas = place.replicas();
    place.spec("run.env.NEVER_READY = \"1\"\nhealth.startup.within = \"3s\"");
    place
        .run(&["deploy"])
        .ends(1)
        .says("rolled back to r1: ")
        .says("503 on /ready")
        .says("  │ agent r2 starts\n");
    as_before(&place, &replicas);
}

#[test]
fn one_that_ignores_sigterm() {
    let place = Place::deployed("");
    let replicas = place.replicas();
    let deploy = place.deploy_until(
        &format!(
            "run.env.IGNORE_TERM = \"1\"\ndrain.grace = \"200ms\"\n{}",
            CANARY
        ),
        "holding at 50 %",
    );
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    as_before(&place, &replicas);
}
