//! What is killed at a bad moment is gone on with.

use super::crowd::Crowd;
use super::{Hosted, QUICK};
use crate::support::engine::docker;
use crate::support::{CANARY, eventually, kill};

const TWO: &str = "run.env.ANSWER = \"two\"";

/// Kills the deploy of a second release once it has said this.
#[track_caller]
fn killed_at(host: &Hosted, answer: &str, rollout: &str, said: &str) {
    host.spec(&format!("run.env.ANSWER = \"{answer}\"{rollout}"));
    let deploy = host.start(&["deploy"]);
    deploy.until(said);
    deploy.kill();
}

#[test]
fn the_command_at_any_event() {
    let Some(host) = Hosted::deployed("command", "") else {
        return;
    };
    let crowd = Crowd::start(host.place.port, 2);
    killed_at(&host, "two", QUICK, "plan ");
    host.run(&["resume"]).ends(0).says("r2 is live");
    host.whole("r2", &["edge", "r2-1"]);
    killed_at(&host, "three", CANARY, "replica started");
    host.run(&["abort"]).ends(0).says("rolled back to r2");
    host.whole("r2", &["edge", "r2-1"]);
    killed_at(&host, "four", CANARY, "holding at 50 %");
    host.run(&["rollback"]).ends(0).says("rolled back to r2");
    host.whole("r2", &["edge", "r2-1"]);
    killed_at(&host, "five", CANARY, "holding at 50 %");
    host.spec("run.env.ANSWER = \"six\"");
    host.run(&["deploy"]).ends(0).says("r6 is live");
    host.whole("r6", &["edge", "r6-1"]);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
}

#[test]
fn containers_of_a_replica_and_of_the_edge() {
    let Some(host) = Hosted::deployed("containers", "run.replicas = 2") else {
        return;
    };
    let [first, second] = ["r1-1", "r1-2"].map(|replica| host.container(replica));
    let started = |name| host.inspect(name, "{{.State.StartedAt}}");
    let (before, other) = (started(&first), started(&second));
    docker(&["kill", &first]).unwrap();
    eventually("it is started again", || {
        started(&first) != before && host.status()["releases"][0]["ready"] == 2
    });
    docker(&["kill", &host.edge()]).unwrap();
    host.run(&["status"]).ends(0).says("2/2 ready");
    assert_eq!(host.place.ask("release"), "r1");
    let pid = host.inspect(&host.edge(), "{{.State.Pid}}");
    kill(pid.parse().unwrap());
    eventually("the engine starts it again", || {
        let now = host.inspect(&host.edge(), "{{.State.Pid}}");
        now != pid && now != "0"
    });
    host.run(&["status"]).ends(0).says("2/2 ready");
    host.whole("r1", &["edge", "r1-1", "r1-2"]);
    assert_eq!(started(&second), other, "it was not touched");
    host.run(&["deploy"]).ends(0).says("nothing changed");
}

#[test]
fn the_edge_that_somebody_removed() {
    let Some(host) = Hosted::deployed("removed", "") else {
        return;
    };
    let remove = || docker(&["rm", "-f", &host.edge()]).unwrap();
    let started = || host.inspect(&host.container("r1-1"), "{{.State.StartedAt}}");
    let before = started();
    remove();
    host.run(&["status"]).ends(0).says("1/1 ready");
    assert_eq!(started(), before, "it was not touched");
    host.whole("r1", &["edge", "r1-1"]);
    host.spec(&format!("{TWO}\n"));
    host.run(&["deploy"]).ends(0).says("r2 is live");
    remove();
    host.run(&["rollback"]).ends(0).says("r1 is live");
    host.whole("r1", &["edge", "r1-1"]);
    remove();
    host.run(&["stop"]).ends(0).says("is stopped");
    host.nothing_is_there();
}

#[test]
fn the_edge_while_a_rollout_holds() {
    let Some(host) = Hosted::deployed("held", "") else {
        return;
    };
    let mut deploy = host.deploy_until(&format!("{TWO}{CANARY}"), "holding at 50 %");
    docker(&["kill", &host.edge()]).unwrap();
    host.run(&["status"]).ends(0).says("r2");
    assert!(deploy.is_running());
    host.run(&["abort"]).ends(0);
    deploy.wait().ends(1).says("rolled back to r1");
    host.whole("r1", &["edge", "r1-1"]);
}
