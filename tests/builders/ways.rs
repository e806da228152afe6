//! The ways to an engine: by TLS, by SSH, by what `docker context` keeps.

use std::process::Command;

use super::Agent;
use super::ssh::Machine;
use super::tls::Proxy;
use crate::support::{engine, free_port};

/// Builds, by BuildKit with its session, and pushes.
#[track_caller]
fn leads_to_an_engine(name: &str, variables: &[(&str, &str)]) {
    let dockerfile = format!("FROM {}\nCOPY . /agent\nRUN ls /agent\n", engine::TINY);
    let Some((agent, _registry)) = Agent::kept(name, &dockerfile, "") else {
        return;
    };
    agent.run(&["build"], variables).ends(0).says("built");
    agent.run(&["push"], variables).ends(0).says("pushed");
    assert!(!agent.images().is_empty());
}

#[test]
fn by_tls() {
    if !engine::there_is_an_engine() {
        return;
    }
    let proxy = Proxy::start();
    let host = format!("tcp://{}", proxy.address);
    let [client, stranger] =
        [proxy.client(), proxy.stranger()].map(|path| path.display().to_string());
    let by = |certificates| {
        [
            ("DOCKER_HOST", host.as_str()),
            ("DOCKER_TLS_VERIFY", "1"),
            ("DOCKER_CERT_PATH", certificates),
        ]
    };
    leads_to_an_engine("by-tls", &by(&client));
    let Some(agent) = Agent::new("by-tls-refused", "build.runtime = \"python\"") else {
        return;
    };
    let refused = agent.run(&["build"], &by(&stranger)).ends(2);
    let refused = refused.says(&format!(
        "error: could not reach the Docker engine at {host}"
    ));
    refused.says("caused by: received fatal alert");
    let refused = agent.run(&["build"], &by("/nowhere")).ends(2);
    refused
        .says("caused by: there is no ca.pem in /nowhere\n")
        .says("hint: ca.pem, cert.pem and key.pem lie in the folder that DOCKER_CERT_PATH names");
}

#[test]
fn by_ssh() {
    if !engine::there_is_an_engine() {
        return;
    }
    let Some(machine) = Machine::start() else {
        return;
    };
    let (address, path) = (machine.address(), machine.path());
    let by = [("DOCKER_HOST", address.as_str()), ("PATH", path.as_str())];
    leads_to_an_engine("by-ssh", &by);
    machine.lock();
    let Some(agent) = Agent::new("by-ssh-refused", "build.runtime = \"python\"") else {
        return;
    };
    let refused = agent.run(&["build"], &by).ends(2);
    let refused = refused.says("error: could not reach the Docker engine at ssh://127.0.0.1");
    refused
        .says("Permission denied (publickey")
        .says("hint: try it by hand: ssh");
}

#[test]
fn by_a_context() {
    if !engine::there_is_an_engine() {
        return;
    }
    let proxy = Proxy::start();
    let settings = tempfile::tempdir().unwrap();
    let settings = settings.path().display().to_string();
    let docker = |args: &[&str]| {
        let mut command = Command::new("docker");
        let ran = command.args(args).env("DOCKER_CONFIG", &settings).output();
        let ran = ran.unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    let file = |name| proxy.client().join(name).display().to_string();
    let endpoint = format!(
        "host=tcp://{},ca={},cert={},key={}",
        proxy.address,
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem")
    );
    docker(&["context", "create", "far", "--docker", &endpoint]);
    let down = format!("host=tcp://127.0.0.1:{}", free_port());
    docker(&["context", "create", "down", "--docker", &down]);
    docker(&["context", "use", "down"]);
    let config = ("DOCKER_CONFIG", settings.as_str());
    leads_to_an_engine("by-a-context", &[config, ("DOCKER_CONTEXT", "far")]);
    let Some(agent) = Agent::new("by-a-context-refused", "build.runtime = \"python\"") else {
        return;
    };
    let refused = agent.run(&["build"], &[config]).ends(2);
    refused.says("caused by: Connection refused");
    docker(&["context", "use", "far"]);
    leads_to_an_engine("by-the-context-in-use", &[config]);
    let gone = [config, ("DOCKER_CONTEXT", "gone")];
    let refused = agent.run(&["build"], &gone).ends(2);
    refused
        .says("error: could not read the Docker context gone")
        .says("hint: see which there are: docker context ls");
}
