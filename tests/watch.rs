//! The gates after a rollout: what fails them is rolled back, and not deployed again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::support::{Place, eventually, kill};

/// Nothing is asked while it takes over: nobody talks yet.
const GATE: &str = r#"
rollback.cooldown = "0s"
[[gate]]
metric = "error_rate"
max = 0.1
min_requests = 6
unclear = "pass"
"#;
const BAD: &str = "run.env.FAIL_EVERY = \"2\"\n";

/// r2 serves, and fails as soon as somebody talks.
fn bad_release_in_force(more: &str) -> Place {
    let place = Place::deployed(GATE);
    place.spec(&format!("{BAD}{more}{GATE}"));
    place.run(&["deploy"]).ends(0);
    place
}

/// Requests while `holds` is not true yet.
#[track_caller]
fn under_load_until(place: &Place, what: &str, holds: impl FnMut() -> bool) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let asked =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place.get("/")));
                drop(asked);
            }
        });
        let held =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| eventually(what, holds)));
        is_over.store(true, Ordering::Relaxed);
        held.unwrap();
    });
}

#[test]
fn a_release_that_turns_bad_is_rolled_back_and_held_down() {
    let place = bad_release_in_force("");
    let watch = place.start(&["watch"]);
    watch.until("watching r2");
    let history = || place.run(&["history"]).ends(0).stdout;
    under_load_until(&place, "it went back", || history().contains("r2 → r1"));
    watch.until("watching r1");
    watch.until("going back from r2 to r1");
    assert!(history().contains("watch: error_rate "), "{}", history());
    assert_eq!(place.ask("release"), "r1");
    place.run(&["deploy"]).exactly(
        2,
        "",
        "\
error: r2 was rolled back by agentctl watch, and nothing has changed since
hint: change something, or deploy it all the same: agentctl deploy --again
",
    );
    // It holds no lease while it looks.
    place.run(&["deploy", "--again"]).ends(0);
    watch.signal(Signal::TERM);
    watch.wait().ends(0);
}

#[test]
fn an_edge_that_dies_does_not_end_it() {
    let place = bad_release_in_force("");
    let watch = place.start(&["watch", "--output", "json"]);
    let said = || std::fs::read_to_string(&watch.out).unwrap();
    eventually("it watches", || said().contains("\"watching\""));
    kill(place.edge());
    eventually("the edge is back", || {
        place.run(&["status"]).stdout.contains("1/1 ready")
    });
    under_load_until(&place, "it went back", || {
        said().contains("\"outcome\":\"completed\"")
    });
    assert!(said().contains("\"outcome\":\"rollback\""), "{}", said());
}

#[test]
fn what_it_may_not_do_it_says_once() {
    let place = bad_release_in_force("rollback.auto = false\n");
    let watch = place.start(&["watch"]);
    watch.until("watching r2");
    let said = || std::fs::read_to_string(&watch.err).unwrap();
    under_load_until(&place, "it says so", || {
        said().contains("rollback.auto is false: a person decides")
    });
    let status = place.status();
    assert_eq!(status["releases"][0]["release"], "r2");
    assert_eq!(said().matches("a person decides").count(), 1, "{}", said());
}

/// What only a source knows counts as well, and one that does not answer says nothing.
#[test]
fn sources_are_asked_too() {
    let place = Place::new("");
    place.write("value", "1");
    let gate = "rollback.cooldown = \"0s\"\n[[gate]]\nname = \"backlog\"\nmax = 10\nevery = \"100ms\"\n\
                source = { command = [\"sed\", \"s/.*/{\\\"now\\\": &}/\", \"value\"], json = \"$.now\" }\n";
    place.spec(gate);
    place.run(&["deploy"]).ends(0);
    place.spec(&format!("run.env.ANSWER = \"two\"\n{gate}"));
    place.run(&["deploy"]).ends(0);
    place.write("value", "soon");
    let watch = place.start(&["watch"]);
    watch.until("backlog is not known");
    assert_eq!(place.ask("release"), "r2");
    place.write("value", "11");
    watch.until("going back from r2 to r1");
    watch.until("watching r1");
    assert_eq!(place.ask("release"), "r1");
}

#[test]
fn nothing_to_watch() {
    let place = Place::deployed("");
    place.run(&["watch"]).exactly(
        2,
        "",
        "\
error: bot has no gate that could be watched
hint: add one with max or min: [[gate]] metric = \"error_rate\", max = 0.01
",
    );
}
