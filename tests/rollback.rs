//! The way back: after a deploy, to a named release, and while a deploy still runs.

use std::fs;

use crate::support::{Background, CANARY, Place, eventually};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

fn deployed_twice() -> Place {
    let place = Place::deployed("");
    place.spec(TWO);
    place.run(&["deploy"]).ends(0);
    assert_eq!(place.ask("reply"), "two");
    place
}

#[test]
fn to_the_last_good_one_and_then_to_none() {
    let place = deployed_twice();
    place.run(&["rollback"]).exactly(
        0,
        "",
        "\
TIME  plan   blue-green r2 → r1, 2 steps
TIME  r1   1 replica started
TIME  r1   1 of 1 ready
TIME  traffic   r1 100 %, r2 0 %
TIME  r2   1 replica leaving
r1 is live at http://127.0.0.1:PORT (T)
",
    );
    assert_eq!(place.ask("reply"), "hello");
    place.run(&["rollback"]).exactly(
        2,
        "",
        "\
error: there is no good release before r1
hint: agentctl history lists the releases; --to names one
",
    );
    assert_eq!(place.outcomes().len(), 3);
}

#[test]
fn to_what_was_stopped() {
    let place = deployed_twice();
    place.run(&["stop", "--now"]).ends(0);
    place
        .run(&["rollback", "--to", "r2"])
        .ends(0)
        .says("r2 is live");
    assert_eq!(place.ask("reply"), "two");
    place.run(&["rollback"]).ends(0).says("r1 is live");
    assert_eq!(place.ask("reply"), "hello");
}

#[test]
fn to_a_named_one() {
    let place = deployed_twice();
    place.run(&["rollback", "--to", "r1"]).ends(0);
    place.run(&["rollback", "--to", "r2"]).ends(0);
    assert_eq!(place.ask("reply"), "two");
    place.run(&["rollback", "--to", "r2"]).exactly(
        2,
        "",
        "\
error: r2 is what serves already
hint: agentctl history lists the releases
",
    );
    place.run(&["rollback", "--to", "r9"]).exactly(
        2,
        "",
        "\
error: there is no release r9
hint: agentctl history lists the releases
",
    );
    place.run(&["rollback", "--to", "two"]).exactly(
        2,
        "",
        "\
error: \"two\" is not a release like r13
hint: agentctl history lists the releases
",
    );
}

#[test]
fn within_the_bake() {
    let place = Place::deployed("");
    let stable = place.replicas();
    let deploy = place.deploy_until(
        &format!("rollout.strategy = \"blue-green\"\nrollout.bake = \"1h\"\n{TWO}"),
        "holding at 100 %",
    );
    assert_eq!(place.ask("reply"), "two");
    place.run(&["rollback"]).exactly(
        0,
        "",
        "asked for the undo of rollout 2\nrolled back to r1: aborted by tester@host (T)\n",
    );
    assert_eq!(place.ask("reply"), "hello");
    deploy.wait().exactly(
        1,
        "",
        "\
TIME  plan   blue-green r1 → r2, 2 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 100 %, r1 0 %
TIME  gate   holding at 100 % for 1h
TIME  aborted   Ctrl-C now leaves it standing
TIME  undoing   aborted by tester@host
TIME  traffic   r2 0 %, r1 100 %
TIME  r2   1 replica leaving
rolled back to r1: aborted by tester@host (T)
",
    );
    eventually("the new replica is gone", || place.replicas() == stable);
    assert_eq!(place.outcomes(), ["rolled_back", "completed"]);
}

/// A rollout of the second release that stands with half of the traffic, walked by nobody.
fn standing() -> Place {
    let place = Place::deployed("");
    place
        .deploy_until(&format!("{TWO}{CANARY}"), "holding at 50 %")
        .kill();
    place
}

#[test]
fn to_the_release_in_force_while_a_rollout_stands() {
    let place = standing();
    place
        .run(&["rollback", "--to", "r1"])
        .ends(0)
        .says("rolled back to r1");
    eventually("the new replica is gone", || place.replicas().len() == 1);
    assert_eq!(place.ask("reply"), "hello");
    assert_eq!(place.outcomes(), ["rolled_back", "completed"]);
}

#[test]
fn to_what_is_half_proven_no_rollback_leads() {
    let place = standing();
    let records = place.records(2);
    place.run(&["rollback", "--to", "r2"]).exactly(
        2,
        "",
        "\
error: rollout 2 has not proven r2 yet: there is nothing to go back to
hint: agentctl resume goes on with it, agentctl abort undoes it
",
    );
    assert_eq!(place.records(2), records);
}

/// On r2, and going back to r1, which waits until a file is there.
fn going_back() -> (Place, Background) {
    let place = Place::new("");
    let waits = format!("run.env.READY_WITH = \"{}\"\n", place.path("go").display());
    place.write("go", "");
    place.spec(&waits);
    place.run(&["deploy"]).ends(0);
    place.spec(TWO);
    place.run(&["deploy"]).ends(0);
    fs::remove_file(place.path("go")).unwrap();
    let first = place.start(&["rollback"]);
    first.until("1 replica started");
    (place, first)
}

#[test]
fn said_twice_it_is_done_once() {
    let (place, first) = going_back();
    let second = place.start(&["rollback"]);
    second.until("rollout 3 goes back to r1 already");
    place.write("go", "");
    second.wait().ends(0).says("r1 is live");
    first.wait().ends(0).says("r1 is live");
    assert_eq!(place.ask("reply"), "hello");
    assert_eq!(place.outcomes().len(), 3);
}

/// The terminal of the first one is gone.
#[test]
fn said_again_after_the_first_one_died() {
    let (place, first) = going_back();
    first.kill();
    place.write("go", "");
    place.run(&["rollback"]).ends(0).says("r1 is live");
    assert_eq!(place.ask("reply"), "hello");
    assert_eq!(place.outcomes().len(), 3);
}

/// More replicas of a bad release are no good ones.
#[test]
fn while_the_bad_release_is_scaled() {
    let place = Place::deployed("");
    let waits = format!(
        "{TWO}run.env.READY_WITH = \"{}\"\n",
        place.path("go").display()
    );
    place.write("go", "");
    place.spec(&waits);
    place.run(&["deploy"]).ends(0);
    fs::remove_file(place.path("go")).unwrap();
    let scale = place.deploy_until(&format!("{waits}run.replicas = 2\n"), "1 replica started");
    place
        .run(&["rollback"])
        .ends(0)
        .says("asked for the end of rollout 3")
        .says("r1 is live");
    scale.wait().ends(1);
    assert_eq!(place.ask("reply"), "hello");
}
