//! Agents that do not start, do not last or do not stop: undone, with their own last words.

use std::fs;
use std::net::TcpListener;

use super::Hosted;
use crate::support::engine::docker;
use crate::support::{CANARY, free_port};

/// What is wrong with the new release, and what is said of it.
const BAD: [(&str, &[&str]); 7] = [
    (
        "run.env.NEVER_READY = \"1\"\nhealth.startup.within = \"10s\"",
        &["503 on /ready", "  │ agent r2 starts\n"],
    ),
    (
        "run.env.LAST_WORDS = \"ValueError: no key\"",
        &[
            "r3-1 exited with status 3, 3 times in a row",
            "  │ ValueError: no key\n",
        ],
    ),
    (
        "run.env.LEAKS = \"1\"\nrun.resources.memory_limit = \"64Mi\"",
        &["r4-1 used more memory than its limit, and was killed, 3 times in a row"],
    ),
    (
        "run.env.DIES_AFTER = \"1\"\nhealth.failures = 1\n",
        &["rolled back to r1: r5", "  │ ValueError: out of luck\n"],
    ),
    (
        "run.env.FAIL_EVERY = \"1\"\nrun.env.IGNORE_TERM = \"1\"\ndrain.grace = \"1s\"\n\
         rollout.probe = [{ request = { path = \"/\" }, expect = { status = 201 } }]",
        &["probe GET /: r6-1 answered 200 instead of 201"],
    ),
    (
        "run.env.DELAY = \"5\"\n\
         rollout.probe = [{ request = { path = \"/\" }, expect = { within = \"300ms\" } }]",
        &["probe GET /: r7-1"],
    ),
    (
        "run.env.CUTS = \"1\"\nrollout.probe = [{ request = { path = \"/stream/5\" } }]",
        &["probe GET /stream/5: r8-1"],
    ),
];

#[test]
fn all_are_undone() {
    let Some(host) = Hosted::deployed("bad", "") else {
        return;
    };
    let again = "rollback.max_per_hour = 100";
    for (number, (bad, says)) in (2..).zip(BAD) {
        host.spec(&format!("{again}\n{bad}{CANARY}"));
        let ran = host.run(&["deploy"]).ends(1);
        let _ = says.iter().fold(ran, |ran, says| ran.says(says));
        host.whole("r1", &["edge", "r1-1"]);
        let evidence = format!("state/agentctl/{}.prod/evidence/{number:04}", host.agent);
        let log = host.place.read(&format!("{evidence}/r{number}-1.log"));
        assert!(log.contains(&format!("agent r{number} starts")), "{log}");
    }
}

#[test]
fn an_image_that_is_not_there() {
    let Some(host) = Hosted::new("no-image", "") else {
        return;
    };
    let digest = "0".repeat(64);
    let spec = host.place.read("agent.toml");
    let image = format!("image.image = \"127.0.0.1:1/nothing@sha256:{digest}\"");
    let spec = spec.replace("build.runtime = \"dockerfile\"", &image);
    fs::write(host.place.path("agent.toml"), spec).unwrap();
    host.run(&["deploy"])
        .ends(2)
        .says("error: could not pull 127.0.0.1:1/nothing@sha256:0000")
        .says("hint: see whether the name is right");
    host.nothing_is_there();
}

#[test]
fn a_port_that_is_taken() {
    let Some(host) = Hosted::new("taken", "") else {
        return;
    };
    let taken = TcpListener::bind(("127.0.0.1", host.place.port)).unwrap();
    host.run(&["deploy"])
        .ends(2)
        .says("error: could not publish 127.0.0.1:")
        .says("hint: see who has it: ");
    host.nothing_is_there();
    drop(taken);
    host.run(&["deploy"]).ends(0).says("r1 is live");
    host.run(&["stop"]).ends(0);
    let taken = TcpListener::bind(("127.0.0.1", host.place.port)).unwrap();
    host.run(&["rollback", "--to", "r1"])
        .ends(1)
        .says("r1 was taken down again: could not publish 127.0.0.1:")
        .says("belongs to somebody else on that host (")
        .says("hint: see who has it: ");
    drop(taken);
    host.run(&["rollback", "--to", "r1"])
        .ends(0)
        .says("r1 is live");
}

#[test]
fn an_address_that_the_host_has_not() {
    let Some(host) = Hosted::new("nowhere", "") else {
        return;
    };
    let here = host.place.read("agent.toml");
    let nowhere = here.replace("listen = \"127.0.0.1\"", "listen = \"192.0.2.1\"");
    let refused = || {
        fs::write(host.place.path("agent.toml"), &nowhere).unwrap();
        let ran = host.run(&["deploy"]).ends(2);
        ran.says("error: could not publish 192.0.2.1:")
            .says("caused by: the host has no address 192.0.2.1")
            .says("hint: ip -brief address");
    };
    refused();
    host.run(&["plan"]).ends(2).says("the host has no address");
    host.nothing_is_there();
    fs::write(host.place.path("agent.toml"), &here).unwrap();
    host.run(&["deploy"]).ends(0).says("r1 is live");
    refused();
    host.whole("r1", &["edge", "r1-1"]);
    host.run(&["status"]).ends(0).says("1/1 ready");
    fs::write(host.place.path("agent.toml"), &here).unwrap();
    host.run(&["deploy"]).ends(0).says("nothing changed: r1");
}

#[test]
fn an_address_that_the_host_has_not_with_a_new_release() {
    let Some(host) = Hosted::deployed("elsewhere-too", "") else {
        return;
    };
    let port = host.place.port;
    for new in [port, free_port()] {
        host.spec("run.env.ANSWER = \"two\"");
        let spec = host.place.read("agent.toml");
        let spec = spec.replace("listen = \"127.0.0.1\"", "listen = \"192.0.2.1\"");
        let spec = spec.replace(&port.to_string(), &new.to_string());
        fs::write(host.place.path("agent.toml"), spec).unwrap();
        host.run(&["deploy"])
            .ends(2)
            .says(&format!("error: could not publish 192.0.2.1:{new}"));
        host.whole("r1", &["edge", "r1-1"]);
    }
}

#[test]
fn a_name_that_somebody_else_has() {
    let Some(host) = Hosted::deployed("name", "") else {
        return;
    };
    let theirs = host.container("r2-1");
    docker(&["create", "--name", &theirs, "python:3.13-slim", "true"]).unwrap();
    host.spec("run.env.ANSWER = \"two\"");
    for verb in ["plan", "deploy"] {
        host.run(&[verb])
            .ends(2)
            .says("belongs to somebody else")
            .says(&format!("docker rm -f {theirs}"));
    }
    host.whole("r1", &["edge", "r1-1"]);
    docker(&["rm", &theirs]).unwrap();
}
