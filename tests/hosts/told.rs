//! What agents in containers tell of their calls through OpenTelemetry.

use serde_json::Value;

use super::Hosted;
use crate::support::engine::docker;
use crate::support::{CANARY, eventually};
use crate::told::{DURATION, ENDPOINT, calls, env};

/// As a library in the agent would: to the address that it was given.
const EXPORT: &str = r#"
import os, sys, urllib.request
to = os.environ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]
of = {"Content-Type": "application/json"}
print(urllib.request.urlopen(urllib.request.Request(to, sys.argv[1].encode(), of)).status)
"#;

fn export(host: &Hosted, replica: &str, told: &Value) -> Result<String, String> {
    let (name, told) = (host.container(replica), told.to_string());
    docker(&["exec", &name, "python3", "-c", EXPORT, &told])
}

#[test]
fn a_release_whose_tools_fail_is_undone() {
    let Some(host) = Hosted::deployed("told", "") else {
        return;
    };
    let endpoint = env(&host.place)[ENDPOINT].clone();
    let edge = format!("http://{}:4318/r1/1/v1/metrics", host.edge());
    assert_eq!(endpoint, edge);
    let gate = "[[gate]]\nmetric = \"tool_error_rate\"\nmax = 0.1\n";
    let canary = format!("run.env.ANSWER = \"two\"\n{CANARY}{gate}");
    let deploy = host.deploy_until(&canary, "holding at 50 %");
    let fine = calls(DURATION, "execute_tool", None, 18);
    let failed = calls(DURATION, "execute_tool", Some("timeout"), 6);
    assert_eq!(export(&host, "r1-1", &fine).unwrap(), "200");
    for told in [fine, failed] {
        assert_eq!(export(&host, "r2-1", &told).unwrap(), "200");
    }
    let ran = deploy.wait().ends(1);
    ran.says("undoing   tool_error_rate 25.0 % is above 10.0 %");
    host.whole("r1", &["edge", "r1-1"]);
    host.run(&["metrics"])
        .ends(0)
        .says("agentctl_tool_calls_total{pool=\"r1\"} 18\n");
}

#[test]
fn an_edge_that_was_killed_or_moved_hears_on() {
    let Some(mut host) = Hosted::deployed("hears", "") else {
        return;
    };
    let model = calls(DURATION, "chat", None, 3);
    docker(&["kill", &host.edge()]).unwrap();
    host.run(&["status"]).ends(0);
    let heard = |host: &Hosted| export(host, "r1-1", &model).is_ok_and(|status| status == "200");
    eventually("it hears again", || heard(&host));
    // Its container is another one then.
    host.place.port = crate::support::free_port();
    let canary = format!("run.env.ANSWER = \"two\"\n{CANARY}");
    let deploy = host.deploy_until(&canary, "holding at 50 %");
    eventually("it hears where it moved to", || heard(&host));
    host.run(&["abort"]).ends(0);
    deploy.wait().ends(1);
}

#[test]
fn users_cannot_come_where_it_is_told() {
    let Some(mut host) = Hosted::new("port", "") else {
        return;
    };
    host.place.port = 4318;
    host.spec("");
    host.run(&["plan"])
        .ends(2)
        .says("error: could not publish 127.0.0.1:4318 for ")
        .says("caused by: the edge hears there what agents tell through OpenTelemetry")
        .says("hint: set another run.port");
    host.nothing_is_there();
}
