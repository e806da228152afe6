//! Agents that nobody calls: replicas without a port, rolled out and scaled like any other.

use super::Hosted;
use crate::support::engine::docker;
use crate::support::eventually;

/// Takes its work from nowhere, and says so.
const WORKER: &str = "agent.kind = \"worker\"\nrun.replicas = 2\n";

fn spec(host: &Hosted, more: &str) {
    host.spec(&format!("{WORKER}{more}"));
    // It has no way to be asked how it is, and its image says what it starts.
    let text = host.place.read("agent.toml");
    let lines = text.lines();
    let kept =
        lines.filter(|line| !line.starts_with("health.ready") && !line.starts_with("run.command"));
    host.place
        .write("agent.toml", kept.collect::<Vec<_>>().join("\n"));
}

#[test]
fn are_rolled_out_without_an_address() {
    let Some(host) = Hosted::new("worker", "") else {
        return;
    };
    host.place.write(
        "Dockerfile",
        "FROM python:3.13-slim\nCOPY agent.py /app/agent.py\n\
         CMD [\"sh\", \"-c\", \"echo works for $AGENT_RELEASE; exec sleep 1000\"]\n",
    );
    spec(&host, "");
    host.run(&["plan"]).ends(0).says("first deploy   r1");
    host.run(&["deploy"]).ends(0).says("r1 is live (");
    host.run(&["status"]).ends(0).says("2/2 ready");
    let ports = host.inspect(&host.edge(), "{{json .HostConfig.PortBindings}}");
    assert!(["{}", "null"].contains(&ports.as_str()), "{ports}");
    spec(&host, "run.env.ANSWER = \"two\"\n");
    host.run(&["deploy"]).ends(0).says("r2 is live (");
    let all = ["edge", "r2-1", "r2-2"];
    eventually("nothing is left over", || host.containers() == all);
    host.run(&["logs"]).ends(0).says("works for r2");
    docker(&["kill", &host.container("r2-1")]).unwrap();
    eventually("it is started again", || {
        host.status()["releases"][0]["ready"] == 2
    });
    host.run(&["rollback"]).ends(0).says("r1 is live (");
    host.run(&["deploy", "--again"])
        .ends(0)
        .says("r2 is live (");
    spec(&host, "run.env.ANSWER = \"two\"\n");
    host.run(&["deploy"])
        .ends(0)
        .says("nothing changed: r2 of ");
    host.run(&["stop"]).ends(0);
    host.nothing_is_there();
}

#[test]
fn that_end_by_themselves_are_undone() {
    let Some(host) = Hosted::new("ends", "") else {
        return;
    };
    host.place.write(
        "Dockerfile",
        "FROM python:3.13-slim\nCOPY agent.py /app/agent.py\n\
         CMD [\"sh\", \"-c\", \"echo nothing to do; exit 4\"]\n",
    );
    spec(&host, "");
    host.run(&["deploy"])
        .ends(1)
        .says("exited with status 4, 3 times in a row")
        .says("  │ nothing to do\n");
    host.nothing_is_there();
}
