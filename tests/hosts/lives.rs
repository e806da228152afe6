//! The life of an agent on a host: deployed, looked at by two people, moved, stopped, and back.

use serde_json::Value;

use super::Hosted;
use crate::support::{Ran, eventually, free_port};

#[test]
fn deployed_and_looked_at() {
    let Some(host) = Hosted::new("looked-at", "run.resources.memory_limit = \"64Mi\"\n") else {
        return;
    };
    host.run(&["plan"]).ends(0).says("first deploy   r1");
    host.run(&["status"]).ends(0);
    host.run(&["history"]).ends(0);
    host.nothing_is_there();
    assert_eq!(host.volumes(), "", "a look makes nothing");
    host.run(&["deploy"])
        .ends(0)
        .says("r1 is live at http://127.0.0.1:");
    let made = host.inspect(&host.container("r1-1"), "{{.Id}}");
    host.run(&["deploy"])
        .ends(0)
        .says("nothing changed: r1 of ");
    host.run(&["plan"]).ends(0).says("nothing changed: r1 of ");
    assert_eq!(host.inspect(&host.container("r1-1"), "{{.Id}}"), made);
    host.run(&["logs"]).ends(0).says("r1-1 │ agent r1 starts");
    host.run(&["history"]).ends(0).says("first deploy  r1");
    host.place.get("/");
    let counted = "agentctl_requests_total{pool=\"r1\"} 1";
    eventually("it is counted", || {
        host.run(&["metrics"]).ends(0).stdout.contains(counted)
    });
    may_do_little(&host);
    compose_shows_all(&host);
}

/// Its version 2 asks for containers with such a label, and for no others.
#[track_caller]
fn compose_shows_all(host: &Hosted) {
    let labels = "{{index .Config.Labels \"com.docker.compose.config-hash\"}} \
                  {{index .Config.Labels \"com.docker.compose.container-number\"}}";
    for name in ["edge", "r1-1"] {
        let labels = host.inspect(&host.container(name), labels);
        let (hash, number) = labels.trim().split_once(' ').unwrap();
        assert_eq!((hash.len(), number), (64, "1"), "{name}");
    }
}

#[track_caller]
fn may_do_little(host: &Hosted) {
    let may = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} \
               {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}} {{.Config.StopTimeout}} \
               {{index .Config.Labels \"com.docker.compose.service\"}} \
               {{index .Config.Labels \"agentctl.release\"}}";
    assert_eq!(
        host.inspect(&host.container("r1-1"), may),
        "true [ALL] [no-new-privileges] 67108864 no 2 r1 r1"
    );
    let networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    let network = host.inspect(&host.container("r1-1"), networks);
    assert_eq!(network.trim(), host.project());
}

/// As somebody else on another machine would.
fn ben(host: &Hosted, args: &[&str]) -> Ran {
    let mut command = host.command(args);
    let home = host.place.path("ben");
    command
        .env("HOME", &home)
        .env("XDG_STATE_HOME", home.join("state"));
    host.place.finish(command.env("USER", "ben"))
}

#[test]
fn two_people_see_one_history_and_one_lease() {
    let Some(host) = Hosted::new("two-people", "") else {
        return;
    };
    // Both homes lie in what is built here.
    let ignored = "state\nben\nagent.toml\n";
    host.place.write(".dockerignore", ignored);
    host.run(&["deploy"]).ends(0);
    ben(&host, &["deploy"]).ends(0).says("nothing changed");
    let deploy = host.deploy_until(
        &format!("run.env.ANSWER = \"two\"{}", crate::support::CANARY),
        "holding at 50 %",
    );
    ben(&host, &["deploy"]).ends(4).says("is held by tester@");
    ben(&host, &["status"]).ends(0).says("canary");
    ben(&host, &["abort"]).ends(0).says("rolled back to r1");
    deploy.wait().ends(1).says("aborted by ben@");
    host.whole("r1", &["edge", "r1-1"]);
    let [ours, theirs] =
        [host.run(&["history"]), ben(&host, &["history"])].map(|ran| ran.ends(0).stdout);
    assert_eq!(ours, theirs);
    assert!(ours.contains("aborted by ben@"), "{ours}");
}

#[test]
fn moved_stopped_and_back() {
    let Some(mut host) = Hosted::deployed("moved", "") else {
        return;
    };
    let before = std::mem::replace(&mut host.place.port, free_port());
    host.spec("run.env.ANSWER = \"two\"\n");
    host.run(&["deploy"]).ends(0);
    host.whole("r2", &["edge", "r2-1"]);
    assert!(std::net::TcpStream::connect(("127.0.0.1", before)).is_err());
    host.run(&["stop"]).ends(0).says("is stopped");
    host.nothing_is_there();
    assert_eq!(host.status()["releases"], Value::Array(Vec::new()));
    host.run(&["rollback", "--to", "r1"]).ends(0);
    assert_eq!(host.place.ask("reply"), "hello");
}

/// Whoever knows the name alone, without agent.toml at hand, is not told that nothing runs.
#[test]
fn by_its_name_from_anywhere() {
    let Some(host) = Hosted::deployed("named", "") else {
        return;
    };
    let elsewhere = tempfile::tempdir().unwrap();
    let by_name = |args: &[&str]| {
        let mut command = host.command(args);
        command.args(["--agent", &host.agent]);
        host.place.finish(command.current_dir(elsewhere.path()))
    };
    let status = by_name(&["status"]).ends(0);
    assert!(status.stdout.contains("● r1  stable"), "{}", status.stdout);
    by_name(&["destroy", "--yes"])
        .ends(0)
        .says("nothing is left of");
    host.nothing_is_there();
    by_name(&["status"])
        .ends(2)
        .says("was deployed from here\n");
}
