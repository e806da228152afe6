use serde_json::json;

use super::*;

const OLD: &str = "\n[environments.x.target.kubernetes]\nversion = \"1.28\"";

const ALL: &str = "kind = \"stateful\"\n[run]\nvolumes.data = { path = \"/data\", size = \"1Gi\" }\n[tools.search]\nimage = \"search:1\"\n[tools.far]\nimage = \"far:1\"\nmode = \"service\"\n[sidecars.sync]\nimage = \"sync:1\"\nvolumes = [\"data\"]\n[observe]\notel = \"sidecar\"\nexport = \"http://collector.monitoring:4318\"";

#[test]
fn native_where_the_cluster_has_them() {
    let spec = pod(&input(ALL))["spec"].clone();
    let beside = ["otel-collector", "search", "sync"];
    assert_eq!(names(&spec["initContainers"]), beside);
    assert_eq!(names(&spec["containers"]), ["bot"]);
    for sidecar in spec["initContainers"].as_array().unwrap() {
        assert_eq!(sidecar["restartPolicy"], "Always");
    }
    let old = pod(&input(&format!("{ALL}{OLD}")))["spec"].clone();
    assert!(old.get("initContainers").is_none());
    assert_eq!(
        names(&old["containers"]),
        ["bot", "otel-collector", "search", "sync"]
    );
    assert!(old["containers"][2].get("restartPolicy").is_none());
}

#[test]
fn a_helper_sees_the_disks_that_it_names() {
    let spec = pod(&input(ALL))["spec"].clone();
    let wanted = json!([
        { "name": "data", "mountPath": "/data" },
        { "name": "tmp-sync", "mountPath": "/tmp" },
    ]);
    assert_eq!(spec["initContainers"][2]["volumeMounts"], wanted);
}

/// Every mount has its volume, and no two share a place.
#[test]
fn mounts_fit_together() {
    let text = ALL
        .replace("\"/data\"", "\"/tmp\"")
        .replace("[run]", "[run]\nwritable = []");
    for input in [input(ALL), input(&text)] {
        let stateful = one(&input, "StatefulSet");
        let spec = stateful["spec"]["template"]["spec"].clone();
        let mut there = names(&spec["volumes"]);
        there.push("data");
        let lists = ["containers", "initContainers"].map(|list| spec[list].as_array().unwrap());
        for container in lists.into_iter().flatten() {
            let mounts = container["volumeMounts"].as_array().unwrap();
            let paths: std::collections::BTreeSet<&str> = mounts
                .iter()
                .map(|mount| mount["mountPath"].as_str().unwrap())
                .collect();
            assert_eq!(paths.len(), mounts.len(), "{container}");
            for name in names(&container["volumeMounts"]) {
                assert!(there.contains(&name), "{name} of {container}");
            }
        }
    }
}

#[test]
fn the_collector_sends_where_it_is_told() {
    let input = input(ALL);
    let objects = rendered(&input);
    let config = objects
        .iter()
        .find(|object| object.file == "config-collector");
    let config = &config.unwrap().value;
    let text = config["data"]["config.yaml"].as_str().unwrap();
    let read = crate::render::yaml::parse(text).unwrap().remove(0);
    let endpoint = &read["exporters"]["otlphttp"]["endpoint"];
    assert_eq!(endpoint, "http://collector.monitoring:4318");
    let volumes = pod(&input)["spec"]["volumes"].clone();
    let named = json!({ "name": config["metadata"]["name"] });
    let volume = json!({ "name": "agent-collector", "configMap": named });
    assert!(volumes.as_array().unwrap().contains(&volume), "{volumes}");
    let told = variable(&input, "OTEL_EXPORTER_OTLP_ENDPOINT");
    assert_eq!(told, "http://localhost:4318");
}

#[test]
fn a_collector_elsewhere_is_only_named() {
    let text =
        "[observe]\notel = \"http://collector:4317\"\n[run]\nenv = { OTEL_SERVICE_NAME = \"own\" }";
    let input = input(text);
    assert!(pod(&input)["spec"].get("initContainers").is_none());
    let told = |name| variable(&input, name);
    assert_eq!(told("OTEL_EXPORTER_OTLP_ENDPOINT"), "http://collector:4317");
    assert_eq!(told("OTEL_EXPORTER_OTLP_PROTOCOL"), "grpc");
    assert_eq!(told("OTEL_SERVICE_NAME"), "own");
    let agent = agent(&input);
    assert!(!names(&agent["env"]).contains(&"OTEL_SERVICE_NAME"));
}
