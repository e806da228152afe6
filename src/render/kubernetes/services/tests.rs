use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::render::fixtures::{input, templates};

const SMALL: &str = "[agent]\nname = \"bot\"\n[image]\nimage = \"bot:1\"\n\
                     [secrets]\nPW = { env = \"PW\" }\n";

/// Every object by its file.
fn objects(more: &str) -> BTreeMap<String, Value> {
    let input = input(&format!("{SMALL}{more}"));
    let objects = super::super::objects(&input, &templates()).unwrap();
    objects
        .into_iter()
        .map(|object| (object.file, object.value))
        .collect()
}

fn pod(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]
}

#[test]
fn a_disk_makes_a_stateful_set() {
    let service = "[services.db]\npreset = \"postgres\"\nsecret = \"PW\"\n";
    let all = objects(&format!("{service}storage = \"5Gi\"\n"));
    let db = &all["db-stateful-set"];
    let claim = &db["spec"]["volumeClaimTemplates"][0];
    assert_eq!(claim["metadata"]["name"], "data");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5Gi");
    assert!(!all.contains_key("db-deployment"));

    let all = objects(service);
    let db = &all["db-deployment"];
    assert_eq!(db["spec"]["strategy"]["type"], "Recreate");
    let volumes = pod(db)["volumes"].as_array().unwrap();
    assert!(volumes.contains(&json!({ "name": "data", "emptyDir": {} })));
}

#[test]
fn it_is_found_by_its_plain_name_and_never_with_the_agent() {
    let all = objects("[services.cache]\npreset = \"redis\"\n");
    let service = &all["cache-service"];
    assert_eq!(service["metadata"]["name"], "cache");
    assert_eq!(service["spec"]["ports"][0]["port"], 6379);
    let selector = json!({
        "app.kubernetes.io/name": "cache",
        "app.kubernetes.io/part-of": "bot",
    });
    assert_eq!(service["spec"]["selector"], selector);
    let labels = &all["cache-deployment"]["spec"]["template"]["metadata"]["labels"];
    for (name, value) in selector.as_object().unwrap() {
        assert_eq!(&labels[name], value);
    }
}

#[test]
fn every_pod_is_restricted() {
    let all = objects(
        "[services.a]\npreset = \"redis\"\n[services.b]\npreset = \"rabbitmq\"\n\
         [services.c]\npreset = \"vllm\"\nmodel = \"a/b\"\n\
         [services.d]\nimage = \"d:1\"\nport = 1\n\
         [tools.e]\nimage = \"e:1\"\nmode = \"service\"\n",
    );
    for name in ["a", "b", "c", "d", "e"] {
        let pod = pod(&all[&format!("{name}-deployment")]);
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"], true, "{name}");
        assert!(context["runAsUser"].as_u64().unwrap() > 0, "{name}");
        assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let context = &pod["containers"][0]["securityContext"];
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(*context, expected, "{name}");
    }
}

#[test]
fn a_model_has_processors_memory_and_time() {
    let all = objects(
        "[services.llm]\npreset = \"vllm\"\nmodel = \"a/b\"\ngpus = 2\nsecret = \"PW\"\n\
         storage = \"50Gi\"\n",
    );
    let pod = pod(&all["llm-stateful-set"]);
    let container = &pod["containers"][0];
    assert_eq!(container["resources"]["limits"]["nvidia.com/gpu"], "2");
    let token = json!({ "name": "bot-secrets", "key": "PW" });
    let env = &container["env"][0];
    assert_eq!(env["name"], "HF_TOKEN");
    assert_eq!(env["valueFrom"]["secretKeyRef"], token);
    let startup = &container["startupProbe"];
    let period = startup["periodSeconds"].as_u64().unwrap();
    assert!(period * startup["failureThreshold"].as_u64().unwrap() >= 3600);
    let memory = json!({ "medium": "Memory", "sizeLimit": "2147483648" });
    let volumes = pod["volumes"].as_array().unwrap();
    assert!(volumes.contains(&json!({ "name": "memory", "emptyDir": memory })));
    let toleration = json!({ "key": "nvidia.com/gpu", "operator": "Exists" });
    assert_eq!(pod["tolerations"], json!([toleration]));
}

#[test]
fn a_command_is_taken_word_by_word() {
    let all = objects("[services.cache]\npreset = \"redis\"\nsecret = \"PW\"\n");
    let container = &pod(&all["cache-deployment"])["containers"][0];
    let script = container["command"][2].as_str().unwrap();
    assert!(script.starts_with("password=$$(printf"), "{script}");
}

#[test]
fn what_no_command_is_known_for_is_asked_by_its_port() {
    let all = objects("[tools.search]\nimage = \"s:1\"\nmode = \"service\"\nport = 3001\n");
    let container = &pod(&all["search-deployment"])["containers"][0];
    let port = json!({ "port": "main" });
    assert_eq!(container["readinessProbe"]["tcpSocket"], port);
    assert_eq!(container["ports"][0]["containerPort"], 3001);
}
