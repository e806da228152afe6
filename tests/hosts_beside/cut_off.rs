//! Services whose start was cut off, by a kill or by what became of their network.

use std::collections::BTreeMap;

use super::{DOCKERFILE, Host, STORE, TOOLS};
use crate::support::engine::{TINY, docker, there_is_a_tiny_image};
use crate::support::{CANARY, eventually};

/// As `docker create` and `docker volume create` take them.
fn labels(host: &Host, kind: &str, format: &str, name: &str) -> Vec<String> {
    let name = host.named(name);
    let labels = docker(&[kind, "inspect", "--format", format, &name]).unwrap();
    let labels: BTreeMap<String, String> = serde_json::from_str(&labels).unwrap();
    let labels = labels.iter();
    labels
        .map(|(name, value)| format!("--label={name}={value}"))
        .collect()
}

/// Made as agentctl makes it, and not started yet; `labels` are those that it had.
fn half_made(host: &Host, labels: &[String]) {
    let (name, network) = (host.named("-store"), host.named(""));
    let mount = format!(
        "type=volume,source={},target=/data",
        host.named("_store_data")
    );
    let script = "trap exit TERM; echo kept >>/data/seen; while :; do sleep 0.1; done";
    let own = [
        "create",
        "--name",
        &name,
        "--network",
        &network,
        "--network-alias",
        "store",
        "--user",
        "4321",
        "--mount",
        &mount,
    ];
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    docker(&[&own, &labels[..], &[TINY, "sh", "-c", script]].concat()).unwrap();
}

#[test]
fn a_service_that_was_made_and_not_started_gets_its_disk() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-half", STORE);
    host.run(&["deploy"]).ends(0);
    let of_store = labels(&host, "container", "{{json .Config.Labels}}", "-store");
    let of_data = labels(&host, "volume", "{{json .Labels}}", "_store_data");
    docker(&["rm", "-f", &host.named("-store")]).unwrap();
    let data = host.named("_store_data");
    docker(&["volume", "rm", &data]).unwrap();
    let of_data: Vec<&str> = of_data.iter().map(String::as_str).collect();
    docker(&[&["volume", "create"], &of_data[..], &[&data]].concat()).unwrap();
    half_made(&host, &of_store);
    host.run(&["deploy"]).ends(0).says("store is started");
    let owner = host.inside("-store", &["stat", "-c", "%u %a", "/data"]);
    assert_eq!(owner, "4321 700");
}

#[test]
fn a_service_that_was_to_be_replaced_comes_back_with_the_agent() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-aside", STORE);
    host.run(&["deploy"]).ends(0);
    let before = host.id("-store");
    let of_store = labels(&host, "container", "{{json .Config.Labels}}", "-store");
    let [store, aside] = ["-store", "-store-before"].map(|name| host.named(name));
    docker(&["stop", &store]).unwrap();
    docker(&["rename", &store, &aside]).unwrap();
    half_made(&host, &of_store);
    let told = host.run(&["status"]).ends(0).stdout;
    assert_eq!(told.matches("store  ").count(), 1, "{told}");
    host.run(&["stop", "--now"]).ends(0);
    host.run(&["rollback", "--to", "r1"]).ends(0);
    assert_eq!(host.id("-store"), before);
    assert!(docker(&["inspect", &aside]).is_err());
}

fn found(host: &Host) -> String {
    host.inside("-r1-1", &["wget", "-qO-", "http://search:3000/it"])
}

#[test]
fn services_are_put_on_another_network_when_theirs_is_gone() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-pruned", TOOLS);
    host.run(&["deploy"]).ends(0);
    let network = host.named("");
    for again in [&["rollback", "--to", "r1"][..], &["deploy"]] {
        host.run(&["stop", "--now"]).ends(0);
        docker(&["network", "rm", &network]).unwrap();
        host.run(again).ends(0);
        assert_eq!(found(&host), "found");
    }
    docker(&["network", "disconnect", &network, &host.named("-search")]).unwrap();
    host.run(&["plan"]).ends(0).says("search is started first");
    host.run(&["deploy"]).ends(0).says("search is started");
    assert_eq!(found(&host), "found");
}

#[test]
fn services_that_ended_with_their_engine_come_back_before_a_rollout_goes_on() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-ended", TOOLS);
    host.run(&["deploy"]).ends(0);
    host.spec(&format!("run.env.MORE = \"1\"{CANARY}"), TOOLS);
    let deploy = host.place.spawn(&mut host.command(&["deploy"]));
    deploy.until("holding at 50 %");
    deploy.kill();
    let end = || docker(&["stop", &host.named("-search")]).unwrap();
    end();
    host.run(&["abort"]).ends(0).says("rolled back to r1");
    assert_eq!(found(&host), "found");
    host.spec("run.env.MORE = \"2\"", TOOLS);
    host.run(&["deploy"]).ends(0).says("r3 is live");
    end();
    host.run(&["rollback"]).ends(0).says("r1 is live");
    assert_eq!(found(&host), "found");
}

#[track_caller]
fn is_ready(host: &Host) {
    eventually("its replica is ready", || {
        host.run(&["status"]).stdout.contains("1/1 ready")
    });
}

#[test]
fn a_replica_that_nobody_reaches_is_made_anew() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-unreached", "");
    host.run(&["deploy"]).ends(0);
    let network = host.named("");
    let [edge, replica] = ["-edge", "-r1-1"].map(|name| host.named(name));
    let now = || docker(&["inspect", "--format", "{{.Id}}", &replica]);
    let before = now().unwrap();
    docker(&["network", "disconnect", &network, &replica]).unwrap();
    docker(&["kill", &replica]).unwrap();
    eventually("it is another one", || now().is_ok_and(|now| now != before));
    is_ready(&host);
    docker(&["stop", &edge]).unwrap();
    docker(&["stop", &replica]).unwrap();
    docker(&["network", "rm", &network]).unwrap();
    host.run(&["deploy"]).ends(0).says("nothing changed");
    is_ready(&host);
}

fn started(host: &Host) -> String {
    let replica = host.named("-r1-1");
    docker(&["inspect", "--format", "{{.State.StartedAt}}", &replica]).unwrap()
}

const MEMORY: &str = r#"
[services.memory]
image = "agentctl-tests/tiny:2"
port = 9999
command = ["sh", "-c", "trap exit TERM; echo it >/data/it; while :; do sleep 0.1; done"]
healthy = ["cat", "/data/it"]
data = "/data"
user = 4321
"#;

#[test]
fn folders_in_memory_are_written_to_at_every_start() {
    if !there_is_a_tiny_image() {
        return;
    }
    let host = Host::new("hb-folders", MEMORY);
    let cached = DOCKERFILE.replace("CMD", "WORKDIR /cache\nCMD");
    host.place
        .write("Dockerfile", cached.replace("/tmp/www", "/cache/www"));
    host.spec("run.writable = [\"/cache\"]", MEMORY);
    host.run(&["deploy"]).ends(0);
    let before = started(&host);
    docker(&["kill", &host.named("-r1-1")]).unwrap();
    eventually("it is started again", || started(&host) != before);
    is_ready(&host);
    docker(&["restart", &host.named("-memory")]).unwrap();
    host.run(&["deploy"]).ends(0).says("nothing changed");
}
