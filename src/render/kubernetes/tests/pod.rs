use serde_json::json;

use super::*;

#[test]
fn probes_say_what_the_spec_says() {
    let input = input(
        "[health]\nlive = \"/live\"\nready = \"/ready\"\nstartup = { path = \"/up\", within = \"62s\" }\nevery = \"7s\"\ntimeout = \"1500ms\"\nfailures = 2",
    );
    let agent = agent(&input);
    let startup = json!({
        "httpGet": { "path": "/up", "port": "http" },
        "periodSeconds": 1, "timeoutSeconds": 2, "failureThreshold": 62,
    });
    assert_eq!(agent["startupProbe"], startup);
    let ready = json!({
        "httpGet": { "path": "/ready", "port": "http" },
        "periodSeconds": 7, "timeoutSeconds": 2, "failureThreshold": 2,
    });
    assert_eq!(agent["readinessProbe"], ready);
    assert_eq!(agent["livenessProbe"]["httpGet"]["path"], "/live");
}

#[test]
fn without_paths_the_port_tells_and_a_worker_is_not_asked() {
    let service = agent(&input(""));
    assert_eq!(service["readinessProbe"]["tcpSocket"]["port"], "http");
    assert!(service.get("livenessProbe").is_none());
    let worker = agent(&input("kind = \"worker\""));
    for absent in ["ports", "startupProbe", "readinessProbe", "lifecycle"] {
        assert!(worker.get(absent).is_none(), "{absent}");
    }
    let asked = agent(&input("kind = \"worker\"\n[health]\nlive = \"/live\""));
    assert_eq!(asked["ports"][0]["containerPort"], 8000);
}

#[test]
fn a_command_is_left_out_only_where_the_image_was_written_for_it() {
    let of = |more: &str| {
        let agent = agent(&input(&format!("{more}\n[run]\ncommand = [\"./bot\"]")));
        agent.get("command").cloned()
    };
    assert_eq!(of(""), Some(json!(["./bot"])));
    let own = of("[build]\nruntime = \"dockerfile\"");
    assert_eq!(own, Some(json!(["./bot"])));
    assert_eq!(of("[build]\nruntime = \"node\""), None);
}

#[test]
fn the_grace_counts_the_wait_before_it() {
    let grace = |kind: &str| {
        let input = input(&format!("kind = \"{kind}\"\n[drain]\ngrace = \"90s\""));
        pod(&input)["spec"]["terminationGracePeriodSeconds"].clone()
    };
    assert_eq!(grace("service"), 95);
    assert_eq!(grace("worker"), 90);
}

/// The Pod Security Standard "restricted", and a root that cannot be written to.
#[test]
fn every_container_is_restricted() {
    let input = input(
        "[image]\nprepull = true\n[tools.t]\nimage = \"t:1\"\n[sidecars.s]\nimage = \"s:1\"\n[observe]\notel = \"sidecar\"\nexport = \"http://c:4318\"",
    );
    let objects = rendered(&input);
    let pods: Vec<&Value> = objects
        .iter()
        .filter_map(|object| object.value.pointer("/spec/template/spec"))
        .collect();
    assert_eq!(pods.len(), 2);
    let mut seen = 0;
    for pod in pods {
        assert_eq!(pod["automountServiceAccountToken"], false);
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true);
        assert_eq!(security["runAsUser"], 10001);
        assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
        let lists = ["containers", "initContainers"].map(|list| pod[list].as_array().unwrap());
        for container in lists.into_iter().flatten() {
            let security = json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            });
            assert_eq!(container["securityContext"], security, "{container}");
            seen += 1;
        }
    }
    assert_eq!(seen, 7);
}

#[test]
fn a_low_port_needs_no_capability() {
    let sysctls = |more: &str| pod(&input(more))["spec"]["securityContext"]["sysctls"].clone();
    let lowered = json!([{ "name": "net.ipv4.ip_unprivileged_port_start", "value": "0" }]);
    assert_eq!(sysctls("[run]\nport = 80"), lowered);
    assert_eq!(sysctls(""), Value::Null);
}

#[test]
fn resources_are_set_aside_and_limited() {
    let of = |text: &str| agent(&input(&format!("[run]\n{text}")))["resources"].clone();
    let wanted = json!({
        "requests": { "cpu": "500m", "memory": "1Gi" }, "limits": { "memory": "1Gi" },
    });
    assert_eq!(
        of("resources = { cpu = \"500m\", memory = \"1Gi\" }"),
        wanted
    );
    let gpu = json!({ "limits": { "nvidia.com/gpu": "2" } });
    assert_eq!(of("gpu = { count = 2 }"), gpu);
}

#[test]
fn a_replica_goes_where_it_may() {
    let input = input(
        "[run]\ngpu = { memory = \"8Gi\" }\nnodes.labels = { disk = \"ssd\" }\nnodes.tolerations = [{ key = \"a\", value = \"b\", effect = \"NoExecute\" }, { key = \"c\" }]",
    );
    let spec = pod(&input)["spec"].clone();
    assert_eq!(spec["nodeSelector"], json!({ "disk": "ssd" }));
    let tolerations = json!([
        { "key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute" },
        { "key": "c", "operator": "Exists" },
        { "key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule" },
    ]);
    assert_eq!(spec["tolerations"], tolerations);
    let at =
        "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let memory = json!([{ "matchExpressions": [
        { "key": "nvidia.com/gpu.memory", "operator": "Gt", "values": ["8191"] },
    ] }]);
    assert_eq!(spec.pointer(at), Some(&memory));
}

#[test]
fn a_part_of_a_gpu_is_on_a_node_of_whole_ones() {
    let part = pod(&input("[run]\ngpu = { kind = \"nvidia.com/mig-1g.5gb\" }"));
    let tolerations = part["spec"]["tolerations"].as_array().unwrap().iter();
    let keys: Vec<_> = tolerations.map(|one| one["key"].clone()).collect();
    assert_eq!(keys, ["nvidia.com/gpu", "nvidia.com/mig-1g.5gb"]);
}

#[test]
fn spot_is_preferred_and_borne() {
    let spec = pod(&input("[run]\nspot = true"))["spec"].clone();
    let tolerations = spec["tolerations"].as_array().unwrap();
    let at = "/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";
    let preferred = spec.pointer(at).and_then(Value::as_array).unwrap();
    assert_eq!(tolerations.len(), preferred.len());
    assert!(spec.pointer("/affinity/podAntiAffinity").is_none());
}

#[test]
fn several_replicas_keep_apart() {
    let spec = pod(&input("[run]\nreplicas = 2"))["spec"].clone();
    assert!(spec.pointer("/affinity/podAntiAffinity").is_some());
    let spread = &spec["topologySpreadConstraints"][0];
    assert_eq!(spread["topologyKey"], "topology.kubernetes.io/zone");
    let selector = json!({ "app.kubernetes.io/name": "bot" });
    assert_eq!(spread["labelSelector"]["matchLabels"], selector);
}

/// A Service or a policy that selects the agent must not select what only pulls its image.
#[test]
fn what_pulls_is_no_replica() {
    let input = released("[image]\nprepull = true\npull_secrets = [\"cred\"]");
    let prepull = one(&input, "DaemonSet");
    assert_eq!(prepull["metadata"]["name"], "bot-r7-prepull");
    let template = &prepull["spec"]["template"];
    assert_eq!(
        template["metadata"]["labels"]["app.kubernetes.io/name"],
        "bot-r7-prepull"
    );
    assert_eq!(
        template["spec"]["imagePullSecrets"],
        json!([{ "name": "cred" }])
    );
    let pull = &template["spec"]["initContainers"][1];
    assert_eq!(pull["image"], "bot:1");
    assert_eq!(pull["command"], json!(["/tool/busybox", "true"]));
}

#[test]
fn prometheus_finds_the_figures() {
    let pod = pod(&input("[observe]\nmetrics = \"/figures\""));
    let wanted = json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/path": "/figures",
        "prometheus.io/port": "8000",
    });
    assert_eq!(pod["metadata"]["annotations"], wanted);
}

#[test]
fn variables_come_from_a_config_map_named_by_what_is_in_it() {
    let text = |a: &str| {
        format!(
            "[secrets]\nS = {{ env = \"S\" }}\n[run]\nenv = {{ A = \"{a}\", P = \"http://localhost:${{PORT}}\", \
             WITH = \"x-${{secret:S}}\" }}"
        )
    };
    let (one, two) = (input(&text("one")), input(&text("two")));
    let data = json!({ "A": "one", "P": "http://localhost:8000" });
    assert_eq!(outright(&one), data);
    let env = agent(&one)["env"].clone();
    assert!(!names(&env).contains(&"A"), "{env}");
    // What a secret stands in is put together in the pod.
    assert_eq!(variable(&one, "WITH"), "x-$(S)");
    let name = |input: &Input| agent(input)["envFrom"][0]["configMapRef"]["name"].clone();
    assert_ne!(name(&one), name(&two));
    assert!(agent(&input(""))["envFrom"].is_null());
}
