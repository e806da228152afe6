//! Agents with disks of their own: both releases' replicas are one set, whose places change hands.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Clustered, TWO};
use crate::hosts::crowd::Crowd;
use crate::support::eventually;

/// It answers what it was asked before it goes.
const USUAL: &str = "agent.kind = \"stateful\"\nrun.replicas = 3\nrun.env.LEAVES_WITHIN = \"1\"\n\
                     run.volumes.memory = { path = \"/var/lib/bot\", size = \"1Mi\" }\n\
                     rollback.max_per_hour = 100\n";
const ROLLING: &str = "rollout.strategy = \"rolling\"\n";
/// One place of three, and a person between.
const CANARY: &str = "rollout.strategy = \"canary\"\n\
                      rollout.steps = [{ weight = 33.3 }, { approve = \"the rest\" }, { weight = 100 }]\n";

/// Disks where nothing in the cluster makes any; they go with the test.
struct Disks {
    names: Vec<String>,
    agent: Clustered,
}

impl Disks {
    fn deployed(test: &str) -> Option<Self> {
        let agent = Clustered::new(test, &format!("{USUAL}{ROLLING}"))?;
        let names = match makes_disks(&agent) {
            true => Vec::new(),
            false => (0..3).map(|at| disk(&agent, at)).collect(),
        };
        let disks = Self { names, agent };
        disks.agent.run(&["deploy"]).ends(0).says("r1 is live");
        Some(disks)
    }

    /// Nothing but this release is left, in all places.
    #[track_caller]
    fn whole(&self, release: &str, replicas: usize) {
        let names: Vec<String> = (0..replicas).map(|at| format!("bot-{at}")).collect();
        eventually("all places are its", || {
            let pods = self
                .agent
                .namespace
                .get(&["pods", "-l=app.kubernetes.io/name=bot"]);
            let pods = pods["items"].as_array().unwrap().clone();
            let of = |pod: &Value| pod["metadata"]["labels"]["agentctl.dev/release"] == release;
            pods.iter().all(of) && self.agent.names("pods") == names
        });
        let services = [
            "bot".to_owned(),
            format!("bot-{release}"),
            "bot-replicas".to_owned(),
        ];
        assert_eq!(self.agent.names("services"), services);
        let status = self.agent.status();
        assert_eq!(status["rollout"], Value::Null, "{status}");
        let first = &status["releases"][0];
        assert_eq!(
            (&first["release"], &first["weight"]),
            (&json!(release), &json!(100))
        );
    }

    /// What tells the disks apart, by name.
    fn claims(&self) -> Vec<(Value, Value)> {
        let claims = self.agent.namespace.get(&["persistentvolumeclaims"]);
        let claims = claims["items"].as_array().unwrap().iter();
        let one = |claim: &Value| {
            (
                claim["metadata"]["name"].clone(),
                claim["metadata"]["uid"].clone(),
            )
        };
        claims.map(one).collect()
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        for name in &self.names {
            let delete = ["delete", "persistentvolume", name, "--wait=false"];
            let _ = self.agent.cluster().kubectl(&delete);
        }
    }
}

fn makes_disks(agent: &Clustered) -> bool {
    let classes = agent.cluster().get(&["storageclasses"]);
    let usual = "storageclass.kubernetes.io/is-default-class";
    let mut classes = classes["items"].as_array().unwrap().iter();
    classes.any(|class| class["metadata"]["annotations"][usual] == "true")
}

fn disk(agent: &Clustered, at: u32) -> String {
    let namespace = &agent.namespace.name;
    let name = format!("{namespace}-{at}");
    let claim = json!({ "namespace": namespace, "name": format!("memory-bot-{at}") });
    let path = agent.place.path(&format!("disk-{at}"));
    let disk = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": name },
        "spec": {
            "capacity": { "storage": "1Mi" }, "accessModes": ["ReadWriteOnce"], "claimRef": claim,
            "hostPath": { "path": path, "type": "DirectoryOrCreate" },
        },
    });
    agent.place.write("disk.json", disk.to_string());
    let file = agent.place.path("disk.json");
    let create = ["create", "-f", file.to_str().unwrap()];
    agent.cluster().kubectl(&create).unwrap();
    name
}

#[test]
fn places_change_hands_and_disks_stay() {
    let Some(disks) = Disks::deployed("stateful") else {
        return;
    };
    let agent = &disks.agent;
    let Some(address) = agent.address() else {
        return;
    };
    disks.whole("r1", 3);
    let before = disks.claims();
    assert_eq!(before.len(), 3);
    let crowd = Crowd::at(address, 3);
    agent.spec(&format!("{USUAL}{ROLLING}{TWO}"));
    let ran = agent.run(&["deploy"]).ends(0).says("r2 is live");
    ran.says("r2 33.33 %, r1 66.67 %")
        .says("r2 66.66 %, r1 33.34 %");
    disks.whole("r2", 3);
    agent.run(&["deploy"]).ends(0).says("nothing changed");
    agent.run(&["rollback"]).ends(0).says("r1 is live");
    disks.whole("r1", 3);
    let met = crowd.stop();
    assert_eq!(met.failed, [""; 0], "of {}", met.served);
    assert_eq!(
        met.releases,
        BTreeSet::from(["r1", "r2"].map(str::to_owned))
    );
    assert_eq!(disks.claims(), before);
}

#[test]
fn more_and_fewer_places() {
    let Some(disks) = Disks::deployed("stateful-places") else {
        return;
    };
    let agent = &disks.agent;
    let fewer = USUAL.replace("replicas = 3", "replicas = 2");
    agent.spec(&format!("{fewer}{ROLLING}{TWO}"));
    agent.run(&["deploy"]).ends(0).says("r2 is live");
    disks.whole("r2", 2);
    agent.spec(&format!("{USUAL}{ROLLING}{TWO}"));
    agent.run(&["deploy"]).ends(0);
    disks.whole("r2", 3);
    agent.run(&["stop"]).ends(0);
    assert_eq!(agent.names("pods"), [""; 0]);
    assert_eq!(disks.claims().len(), 3);
    let back = agent.run(&["rollback", "--to", "r1"]);
    back.ends(0).says("r1 is live");
    disks.whole("r1", 3);
}

#[test]
fn one_that_never_gets_ready_gives_its_place_back() {
    let Some(disks) = Disks::deployed("stateful-undone") else {
        return;
    };
    let agent = &disks.agent;
    let never = "run.env.NEVER_READY = \"1\"\nhealth.startup.within = \"5s\"\n";
    for strategy in [ROLLING, CANARY] {
        agent.spec(&format!("{USUAL}{strategy}{never}"));
        agent
            .run(&["deploy", "--again"])
            .ends(1)
            .says("rolled back to r1")
            .says("503");
        disks.whole("r1", 3);
    }
}

#[test]
fn a_canary_of_places_is_aborted_and_gone_on_with() {
    let Some(disks) = Disks::deployed("stateful-canary") else {
        return;
    };
    let agent = &disks.agent;
    agent.spec(&format!("{USUAL}{CANARY}{TWO}"));
    let deploy = agent.start(&["deploy"]);
    deploy.until("the rest");
    deploy.kill();
    agent.run(&["abort"]).ends(0).says("rolled back to r1");
    disks.whole("r1", 3);
    let deploy = agent.start(&["deploy", "--again"]);
    deploy.until("the rest");
    deploy.kill();
    let resumed = agent.start(&["resume"]);
    resumed.until("the rest");
    agent.run(&["approve"]).ends(0);
    resumed.wait().ends(0);
    disks.whole("r2", 3);
}

#[test]
fn what_places_cannot_do_is_refused() {
    let Some(agent) = Clustered::new("stateful-refused", "") else {
        return;
    };
    let weight =
        "rollout.strategy = \"canary\"\nrollout.steps = [{ weight = 10 }, { weight = 100 }]\n";
    for (more, says) in [
        ("rollout.strategy = \"blue-green\"\n", "one set"),
        (
            "network.router = \"gateway\"\nnetwork.gateway = \"edge/public\"\n",
            "split as its replicas are",
        ),
    ] {
        agent.spec(&format!("{USUAL}{more}"));
        agent.run(&["plan"]).ends(2).says(says);
    }
    let disks = Disks::deployed("stateful-weights");
    if let Some(Disks { agent, .. }) = &disks {
        agent.spec(&format!("{USUAL}{weight}{TWO}"));
        agent
            .run(&["plan"])
            .ends(2)
            .says("33.33 %, 66.66 %, and never 10 %");
    }
}
