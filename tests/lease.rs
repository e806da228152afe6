//! One writer at a time.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};
use rustix::process::Signal;

use crate::support::{Background, CANARY, Place, eventually, stopped};

/// A deploy that holds the lease for an hour.
fn holder() -> (Place, Background) {
    let place = Place::deployed("");
    place.spec(&format!("run.env.ANSWER = \"two\"\n{CANARY}"));
    let deploy = place.start(&["deploy"]);
    deploy.until("holding at 50 %");
    (place, deploy)
}

const HELD: &str = "error: bot is held by tester@host (pid N) since TIME, last heartbeat T ago\n";

#[track_caller]
fn is_held(place: &Place, deploy: &Background) {
    let ran = place.run(&["deploy"]);
    assert!(ran.stderr.contains(&format!("(pid {})", deploy.id())));
    let hint = ran.stderr.lines().last().unwrap().to_owned();
    assert!(hint.contains("`agentctl abort`"), "{hint}");
    let hint = hint.replace(|c: char| c.is_ascii_digit(), "");
    assert!(
        hint.ends_with("the next command takes over within  s"),
        "{hint}"
    );
    let ran = ran.ends(4);
    assert!(ran.shown(&ran.stderr).starts_with(HELD), "{}", ran.stderr);
}

#[test]
fn the_second_deploy_is_told_who_is_at_it() {
    let (place, mut deploy) = holder();
    is_held(&place, &deploy);
    place.run(&["resume"]).ends(4);
    place.run(&["stop"]).ends(4);
    let [error] = &place.run(&["deploy", "--output", "json"]).ends(4).json()[..] else {
        panic!("one object");
    };
    assert_eq!(error["error"]["exit"], 4);
    assert!(deploy.is_running());
}

#[test]
fn of_two_at_once_one_wins() {
    let place = Place::new("");
    let [a, b] = [0, 1].map(|_| place.start(&["deploy"]));
    let mut codes = [a.wait(), b.wait()].map(|ran| ran.code);
    codes.sort_unstable();
    // The loser may come when the winner is done: then nothing has changed.
    assert!(codes == [0, 4] || codes == [0, 0], "{codes:?}");
    assert_eq!(place.outcomes(), ["completed"]);
    assert_eq!(place.replicas().len(), 1);
}

#[test]
fn a_killed_holder_is_followed_at_once() {
    let (place, deploy) = holder();
    deploy.kill();
    place.run(&["abort"]).ends(0).says("rolled back to r1");
}

#[test]
fn a_stopped_holder_is_not_robbed() {
    let (place, mut deploy) = holder();
    stop_between_heartbeats(&place, &deploy);
    is_held(&place, &deploy);
    deploy.signal(Signal::CONT);
    assert!(deploy.is_running());
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
}

/// Half a minute passes for whoever reads the clock of its last heartbeat.
#[test]
fn a_holder_that_shows_no_life_is_told_from_one_that_does() {
    let (place, deploy) = holder();
    let says = ", last heartbeat ";
    let status = || place.run(&["status"]).ends(0).stdout;
    assert!(!status().contains(says));
    stop_between_heartbeats(&place, &deploy);
    let path = place.state().join("lease.json");
    let lease = std::fs::read_to_string(&path).unwrap();
    let mut lease: serde_json::Value = serde_json::from_str(&lease).unwrap();
    let at = lease["holder"]["beat"]["at"].as_u64().unwrap();
    lease["holder"]["beat"]["at"] = (at - 30_000).into();
    std::fs::write(&path, lease.to_string()).unwrap();
    let status = status();
    assert!(
        status.contains(says) && status.contains("run by tester@"),
        "{status}"
    );
    deploy.signal(Signal::CONT);
}

/// Who is stopped in the middle of a write keeps the lock, and all others wait for that.
fn stop_between_heartbeats(place: &Place, deploy: &Background) {
    let lock = File::open(place.state().join("lease.lock")).unwrap();
    eventually("it is stopped without the lock", || {
        deploy.signal(Signal::STOP);
        eventually("it is stopped", || stopped(deploy.id()));
        let free = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        if !free {
            deploy.signal(Signal::CONT);
        }
        free
    });
    flock(&lock, FlockOperation::Unlock).unwrap();
}
