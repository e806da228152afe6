use serde_json::json;

use super::super::fixtures::{find, input, input_in, kinds, rendered};
use super::*;

const SECRETS: &str = "[secrets]\nKEY = { env = \"KEY\" }\n";

/// The ScaledObject of an agent with this under `[scale]`.
fn scaled(added: &str) -> Value {
    let objects = rendered(&input(&format!("[scale]\n{added}")));
    find(&objects, "ScaledObject", "helper")["spec"].clone()
}

#[test]
fn each_kind_of_queue_is_asked_in_its_way() {
    let rabbit =
        "queue = { kind = \"rabbitmq\", name = \"q\", address = \"rabbit:5672\", per_replica = 5 }";
    let sqs = "queue = { kind = \"sqs\", name = \"q\", address = \"https://sqs.eu-1/q\", region = \"eu-1\", per_replica = 5 }";
    let kafka = "queue = { kind = \"kafka\", name = \"t\", address = \"a:9092,b:9092\", group = \"g\", per_replica = 5 }";
    let prometheus = "queue = { kind = \"prometheus\", name = \"sum(x)\", address = \"http://p:9090\", per_replica = 5 }";
    let cases = [
        (
            "queue = { kind = \"redis-list\", name = \"q\", address = \"state:6379\", per_replica = 5 }",
            json!({ "type": "redis", "metadata": { "address": "state:6379", "listName": "q", "listLength": "5" } }),
        ),
        (
            rabbit,
            json!({ "type": "rabbitmq", "metadata": {
                "protocol": "auto", "mode": "QueueLength", "host": "amqp://rabbit:5672/", "queueName": "q", "value": "5",
            } }),
        ),
        (
            sqs,
            json!({
                "type": "aws-sqs-queue",
                "metadata": { "queueURL": "https://sqs.eu-1/q", "queueLength": "5", "awsRegion": "eu-1" },
                "authenticationRef": { "name": "helper-queue" },
            }),
        ),
        (
            kafka,
            json!({ "type": "kafka", "metadata": {
                "bootstrapServers": "a:9092,b:9092", "consumerGroup": "g", "topic": "t", "lagThreshold": "5",
            } }),
        ),
        (
            prometheus,
            json!({ "type": "prometheus", "metadata": {
                "serverAddress": "http://p:9090", "query": "sum(x)", "threshold": "5",
            } }),
        ),
    ];
    for (queue, trigger) in cases {
        assert_eq!(scaled(queue)["triggers"], json!([trigger]), "{queue}");
    }
}

#[test]
fn a_secret_of_the_queue_is_referred_to() {
    let cases = [
        ("redis-list", "address = \"r:1\",", "password"),
        ("rabbitmq", "", "host"),
        ("prometheus", "address = \"http://p\",", "bearerToken"),
    ];
    for (kind, address, parameter) in cases {
        let queue = format!(
            "{SECRETS}[scale]\nqueue = {{ kind = \"{kind}\", name = \"q\", {address} secret = \"KEY\", per_replica = 1 }}"
        );
        let objects = rendered(&input(&queue));
        let authentication = find(&objects, "TriggerAuthentication", "helper-queue");
        assert_eq!(
            authentication["spec"]["secretTargetRef"],
            json!([{ "name": "helper-secrets", "key": "KEY", "parameter": parameter }])
        );
        let trigger = &find(&objects, "ScaledObject", "helper")["spec"]["triggers"][0];
        assert_eq!(trigger["authenticationRef"]["name"], "helper-queue");
    }
}

#[test]
fn the_least_number_and_none_at_all() {
    let schedule = "schedule = [{ from = \"0 8 * * *\", to = \"0 20 * * *\", replicas = 4 }]\n";
    let cases = [
        ("min = 2", json!([2, null])),
        ("min = 2\nidle_to_zero = true", json!([2, 0])),
        ("min = 0\nidle_to_zero = true", json!([0, null])),
    ];
    for (keys, wanted) in cases {
        let spec = scaled(&format!("{schedule}{keys}"));
        let found = json!([spec["minReplicaCount"], spec["idleReplicaCount"]]);
        assert_eq!(found, wanted, "{keys}");
    }
    let spec = scaled(&format!("{schedule}down_after = \"90s\""));
    assert_eq!(spec["cooldownPeriod"], 90);
    assert_eq!(
        spec["triggers"][0]["metadata"],
        json!({ "timezone": "UTC", "start": "0 8 * * *", "end": "0 20 * * *", "desiredReplicas": "4" })
    );
    let down = &spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"];
    assert_eq!(down["stabilizationWindowSeconds"], 90);
}

/// The most that any trigger asks for counts, so that a rest is said by all other times.
#[test]
fn a_rest_is_the_usual_number_at_all_other_times() {
    let spec =
        scaled("min = 2\nschedule = [{ from = \"0 20 * * *\", to = \"0 6 * * *\", replicas = 0 }]");
    assert_eq!(spec["minReplicaCount"], 0);
    assert_eq!(
        spec["triggers"],
        json!([{ "type": "cron", "metadata": {
            "timezone": "UTC", "start": "0 6 * * *", "end": "0 20 * * *", "desiredReplicas": "2",
        } }])
    );
}

#[test]
fn services_of_the_agent_are_found_from_another_namespace() {
    let text = "[agent]\nname = \"helper\"\n[services.state]\npreset = \"redis\"\n[scale]\nqueue = { kind = \"redis-list\", \
                name = \"q\", address = \"state:6379\", per_replica = 1 }\n[environments.live]\n\
                target = { kubernetes = { namespace = \"agents\" } }";
    let objects = rendered(&input_in(text, Some("live")));
    let trigger = &find(&objects, "ScaledObject", "helper")["spec"]["triggers"][0];
    assert_eq!(trigger["metadata"]["address"], "state.agents.svc:6379");
}

#[test]
fn the_autoscaler_of_the_cluster() {
    let text = "[run]\nresources = { cpu = \"1\" }\n[scale]\nby = \"hpa\"\ncpu = 70\n\
                metrics = [{ query = \"agent_load\", target = 0.5 }]\n\
                queue = { kind = \"redis-list\", name = \"q\", per_replica = 5 }";
    let objects = rendered(&input(text));
    let spec = &find(&objects, "HorizontalPodAutoscaler", "helper")["spec"];
    let each = spec["metrics"].as_array().unwrap();
    assert_eq!(
        each[0]["external"]["target"],
        json!({ "type": "AverageValue", "averageValue": "5" })
    );
    assert_eq!(each[0]["external"]["metric"]["name"], QUEUE_DEPTH);
    // What runs beside the agent does not count.
    let own = &each[1]["containerResource"];
    assert_eq!(own["container"], "helper");
    assert_eq!(own["target"]["averageUtilization"], 70);
    assert_eq!(each[2]["pods"]["target"]["averageValue"], "500m");
    assert_eq!(spec["behavior"]["scaleUp"]["stabilizationWindowSeconds"], 0);
    assert_eq!(
        spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"],
        300
    );
}

#[test]
fn a_scaler_owns_the_number_of_replicas() {
    let cases = [
        ("", Some(3)),
        ("[scale]\nrecommend = true", Some(3)),
        ("[scale]\ncpu = 70", None),
    ];
    for (scale, replicas) in cases {
        let text = format!("[run]\nreplicas = 3\nresources = {{ cpu = \"1\" }}\n{scale}");
        let objects = rendered(&input(&text));
        let workload = find(&objects, "Deployment", "helper");
        assert_eq!(workload["spec"]["replicas"].as_u64(), replicas, "{scale}");
    }
}

#[test]
fn one_that_only_recommends() {
    let objects = rendered(&input("[scale]\nrecommend = true"));
    let advice = find(&objects, "VerticalPodAutoscaler", "helper");
    assert_eq!(advice["spec"]["updatePolicy"]["updateMode"], "Off");
    assert!(
        !kinds(&objects)
            .iter()
            .any(|kind| kind.starts_with("Scaled"))
    );
}

#[test]
fn quantities_have_no_fraction() {
    let cases = [
        (2.0, "2"),
        (0.5, "500m"),
        (1500.0, "1500"),
        (0.0001, "100u"),
        (1e-9, "1n"),
        (1e-12, "1n"),
    ];
    for (value, text) in cases {
        assert_eq!(quantity(value), text);
    }
}
