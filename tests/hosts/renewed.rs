//! The edge is replaced by that of a newer agentctl, or published elsewhere, and nobody notices.

use std::net::TcpStream;

use tempfile::TempDir;

use super::crowd::Crowd;
use super::{Hosted, QUICK};
use crate::support::engine::docker;
use crate::support::{Ran, copied, eventually, free_port};

const USUAL: &str = "run.replicas = 2\ndrain.grace = \"1m\"\ndrain.conversations = \"1h\"\n";

/// As an agentctl that was built later would: the same program, and not the same file.
fn newer(host: &Hosted, newer: &TempDir, args: &[&str]) -> Ran {
    // Not in the folder that the image is built from.
    let program = newer.path().join("agentctl");
    if !program.exists() {
        copied(&program);
        // Written by a process of its own, too.
        let append = "printf newer >> \"$1\"";
        let mut more = std::process::Command::new("sh");
        more.args(["-c", append, "sh"]).arg(&program);
        assert!(more.status().unwrap().success());
    }
    let usual = host.command(args);
    let mut command = std::process::Command::new(program);
    command
        .args(usual.get_args())
        .stdin(std::process::Stdio::null());
    command.current_dir(usual.get_current_dir().unwrap());
    for (name, value) in usual.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    host.place.finish(&mut command)
}

/// The edges that run in the container, by their command lines.
fn edges(host: &Hosted) -> Vec<String> {
    let top = docker(&["top", &host.edge(), "-eo", "pid,args"]).unwrap_or_default();
    let lines = top.lines().filter(|line| line.contains(" edge --state"));
    let args = |line: &str| {
        line.trim()
            .split_once(' ')
            .map(|(_, args)| args.trim().to_owned())
    };
    lines.filter_map(args).collect()
}

#[test]
fn by_a_newer_program() {
    let Some(host) = Hosted::deployed("newer", USUAL) else {
        return;
    };
    let later = tempfile::tempdir().unwrap();
    let made = host.inspect(&host.edge(), "{{.Id}}");
    let crowd = Crowd::start(host.place.port, 4);
    let mut stream = host.place.open("/stream/60", "");
    assert_eq!(stream.after("data: "), "r1 0");
    assert_eq!(host.place.ask_in("anna", "release"), "r1");
    newer(&host, &later, &["deploy"])
        .ends(0)
        .says("nothing changed: r1");
    assert_eq!(host.inspect(&host.edge(), "{{.Id}}"), made);
    assert_eq!(edges(&host).len(), 2, "one serves, and one ends a stream");
    host.spec(&format!("{USUAL}run.env.ANSWER = \"two\"{QUICK}"));
    newer(&host, &later, &["deploy"]).ends(0).says("r2 is live");
    for event in 1..60 {
        assert_eq!(stream.after("data: "), format!("r1 {event}"));
    }
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
    // A container that starts again starts the newer one.
    docker(&["restart", "-t", "0", &host.edge()]).unwrap();
    eventually("the newer one serves", || {
        let edges = edges(&host);
        edges.len() == 1 && edges[0].contains("/state/program/")
    });
    host.run(&["status"]).ends(0).says("2/2 ready");
    host.run(&["deploy"]).ends(0).says("nothing changed: r2");
    eventually("the image's own serves again", || {
        let edges = edges(&host);
        edges.len() <= 2 && edges.iter().any(|edge| edge.starts_with("/agentctl edge"))
    });
    host.whole("r2", &["edge", "r2-1", "r2-2"]);
}

#[test]
fn by_one_that_is_published_elsewhere() {
    let Some(mut host) = Hosted::deployed("elsewhere", USUAL) else {
        return;
    };
    let mut stream = host.place.open("/stream/60", "");
    assert_eq!(stream.after("data: "), "r1 0");
    let before = std::mem::replace(&mut host.place.port, free_port());
    host.spec(USUAL);
    let url = format!("r2 is live at http://127.0.0.1:{}", host.place.port);
    host.run(&["deploy"]).ends(0).says(&url);
    assert_eq!(host.place.ask("reply"), "hello");
    for event in 1..60 {
        assert_eq!(stream.after("data: "), format!("r1 {event}"));
    }
    drop(stream);
    eventually("the old address is closed", || {
        TcpStream::connect(("127.0.0.1", before)).is_err()
    });
    host.run(&["status"]).ends(0).says("2/2 ready");
    host.whole("r2", &["edge", "r2-1", "r2-2"]);
}
