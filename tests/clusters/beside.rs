//! What the agent needs beside it is well before the agent starts.

use super::{Clustered, TWO};

/// It listens after a moment.
const SLOW: &str = r#"
import socket, time
time.sleep(2)
door = socket.create_server(("", 7000))
while True:
    door.accept()[0].close()
"#;

fn service(clustered: &Clustered, program: &str) -> String {
    format!(
        "\n[services.store]\nimage = \"{}\"\nport = 7000\ncommand = [\"python3\", \"-c\", '''{program}''']\n",
        clustered.image
    )
}

#[test]
fn an_agent_starts_when_its_service_is_ready() {
    let Some(agent) = Clustered::new("beside", "") else {
        return;
    };
    let store = service(&agent, SLOW);
    agent.spec(&store);
    let ran = agent.run(&["deploy"]).ends(0).says("r1 is live");
    let at = |text: &str| ran.stderr.find(text);
    let (waits, ready) = (at("waiting for store"), at("store is ready"));
    let starts = at("1 replica started");
    assert!(
        waits.is_some() && waits < ready && ready < starts,
        "{}",
        ran.stderr
    );
    agent.spec(&format!("{TWO}{store}"));
    let ran = agent.run(&["deploy"]).ends(0).says("r2 is live");
    assert!(!ran.stderr.contains("waiting for store"), "{}", ran.stderr);
}

#[test]
fn an_agent_whose_service_ends_is_not_started() {
    let Some(agent) = Clustered::new("beside-bad", "") else {
        return;
    };
    agent.spec(&service(&agent, "raise SystemExit(3)"));
    agent
        .run(&["deploy"])
        .ends(2)
        .says("could not start store")
        .says("exited with status 3, 3 times in a row")
        .says("app.kubernetes.io/name=store shows what it wrote");
    assert_eq!(agent.names("deployments"), [""; 0]);
    // What was wrong before is not what is wrong now.
    agent.spec(&service(&agent, SLOW));
    agent.run(&["deploy"]).ends(0).says("store is ready");
}
