//! SIGKILL to whatever there is, and Ctrl-C: every rollout ends whole.

use std::collections::BTreeSet;

use rustix::process::Signal;

use crate::support::{Background, CANARY, Place, alive, eventually, kill, reply};

const TWO: &str = "run.env.ANSWER = \"two\"\n";

/// One replica of each release, half of the traffic each.
fn halfway() -> (Place, Background) {
    let place = Place::deployed("");
    let deploy = place.deploy_until(&format!("{TWO}{CANARY}"), "holding at 50 %");
    (place, deploy)
}

/// Nobody but this release serves, with one replica.
#[track_caller]
fn whole(place: &Place, release: &str) {
    eventually("one replica is left", || place.replicas().len() == 1);
    let serving: BTreeSet<_> = (0..4).map(|_| reply(place).0).collect();
    assert_eq!(serving, BTreeSet::from([release.to_owned()]));
    assert_eq!(place.status()["rollout"], serde_json::Value::Null);
}

/// Kills the deploy when its journal has this many records.
fn killed_after(records: usize) -> Place {
    let place = Place::deployed("");
    let quick = CANARY.replace("1h", "50ms");
    place.spec(&format!("{TWO}{quick}"));
    let mut deploy = place.start(&["deploy"]);
    eventually("the journal grows", || {
        place.records(2) >= records || !deploy.is_running()
    });
    deploy.kill();
    place
}

#[test]
fn the_command_and_then_resume() {
    for records in [1, 3, 5] {
        let place = killed_after(records);
        place.run(&["resume"]).ends(0).says("r2 is live");
        whole(&place, "r2");
    }
}

#[test]
fn the_command_and_then_abort() {
    for records in [2, 4] {
        let place = killed_after(records);
        place.run(&["abort"]).ends(0).says("rolled back to r1");
        whole(&place, "r1");
    }
}

#[test]
fn the_command_and_then_rollback() {
    let (place, deploy) = halfway();
    deploy.kill();
    place.run(&["rollback"]).ends(0).says("rolled back to r1");
    whole(&place, "r1");
}

#[test]
fn the_command_and_then_another_deploy() {
    let (place, deploy) = halfway();
    deploy.kill();
    place.spec("run.env.ANSWER = \"three\"");
    place.run(&["deploy"]).ends(0).says("r3 is live");
    whole(&place, "r3");
    assert_eq!(place.outcomes(), ["completed", "stalled", "completed"]);
}

#[test]
fn the_edge_and_then_any_command() {
    let place = Place::deployed("run.replicas = 2");
    let (edge, replicas) = (place.edge(), place.replicas());
    let records = place.records(1);
    kill(edge);
    eventually("the edge is gone", || !alive(edge));
    place.run(&["status"]).ends(0).says("2/2 ready");
    assert_eq!(place.replicas(), replicas);
    assert_ne!(place.edge(), edge);
    assert!(replicas.contains(&reply(&place).1));
    assert_eq!(place.records(1), records);
    place.run(&["deploy"]).ends(0).says("nothing changed");
}

#[test]
fn the_socket_of_the_edge_and_then_any_command() {
    let place = Place::deployed("");
    let before = place.processes();
    std::fs::remove_file(place.state().join("edge.sock")).unwrap();
    place.run(&["status"]).ends(0).says("1/1 ready");
    eventually("no other edge is left", || place.processes() == before);
}

#[test]
fn the_edge_while_a_rollout_holds() {
    let (place, mut deploy) = halfway();
    let replicas = place.replicas();
    kill(place.edge());
    place.run(&["status"]).ends(0);
    assert_eq!(place.replicas(), replicas);
    assert!(deploy.is_running());
    let serving: BTreeSet<_> = (0..4).map(|_| reply(&place).0).collect();
    assert_eq!(
        serving.len(),
        2,
        "{}\n{}",
        std::fs::read_to_string(&deploy.err).unwrap(),
        place.status()
    );
    place.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
    whole(&place, "r1");
}

#[test]
fn the_edge_and_the_command() {
    let (place, deploy) = halfway();
    let replicas = place.replicas();
    deploy.kill();
    kill(place.edge());
    place.run(&["status"]).ends(0);
    assert_eq!(place.replicas(), replicas);
    place.run(&["abort"]).ends(0);
    whole(&place, "r1");
}

#[test]
fn a_replica_is_restarted() {
    let place = Place::deployed("run.replicas = 2");
    let before = place.replicas();
    kill(before[0]);
    eventually("it is restarted", || {
        let now = place.replicas();
        now.len() == 2 && now != before
    });
    eventually("it is ready", || {
        place.status()["releases"][0]["ready"] == 2
    });
    assert!(place.replicas().contains(&before[1]));
}

#[test]
fn ctrl_c_undoes() {
    for signal in [Signal::INT, Signal::TERM] {
        let (place, deploy) = halfway();
        deploy.signal(signal);
        deploy.wait().exactly(
            1,
            "",
            "\
TIME  plan   canary r1 → r2, 3 steps
TIME  r2   1 replica started
TIME  r2   1 of 1 ready
TIME  traffic   r2 50 %, r1 50 %
TIME  gate   holding at 50 % for 1h
TIME  aborted   Ctrl-C now leaves it standing
TIME  undoing   aborted by tester@host
TIME  traffic   r2 0 %, r1 100 %
TIME  r2   1 replica leaving
rolled back to r1: aborted by tester@host (T)
",
        );
        whole(&place, "r1");
    }
}

/// Both are there before the first is heard.
#[test]
fn ctrl_c_twice_leaves_it_standing() {
    let (place, deploy) = halfway();
    deploy.signal(Signal::STOP);
    deploy.signal(Signal::INT);
    deploy.signal(Signal::TERM);
    deploy.signal(Signal::CONT);
    deploy
        .wait()
        .ends(3)
        .says("error: rollout 2 was left standing\n")
        .says("hint: agentctl resume goes on with it, agentctl abort undoes it\n");
    assert_eq!(place.replicas().len(), 2);
    place.run(&["status"]).ends(0).says("run by nobody");
    place.run(&["abort"]).ends(0);
    whole(&place, "r1");
}

#[test]
fn the_edge_whose_address_somebody_else_takes() {
    let place = Place::deployed("");
    let address = ("127.0.0.1", place.port);
    kill(place.edge());
    let mut taken = None;
    eventually("it is free", || {
        taken = std::net::TcpListener::bind(address).ok();
        taken.is_some()
    });
    let status = place.run(&["status"]).ends(0).stdout;
    let says = "could not be opened: somebody else has it";
    assert!(status.contains(says), "{status}");
    drop(taken);
    eventually("it is open again", || place.status()["closed"].is_null());
    whole(&place, "r1");
}
