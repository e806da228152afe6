//! What tells KEDA that there is more to do, and how it may ask.

use serde_json::{Map, Value, json};

use crate::render::filled::filled;
use crate::render::kubernetes::env;
use crate::render::{Controller, Input};
use crate::spec::{Figure, Queue, QueueKind, Scale, Window};

pub(super) fn triggers(input: &Input, scale: &Scale) -> Vec<Value> {
    let flagger = input.traffic.by == Some(Controller::Flagger);
    let queue = scale.queue.iter().map(|queue| waiting(input, queue));
    let cpu = scale.cpu.iter().map(|percent| cpu(input, *percent));
    let metrics = scale.metrics.iter().map(|figure| metric(input, figure));
    let zone = &input.spec.agent.time_zone;
    let windows = scale.schedule.iter();
    let windows = windows.filter(|window| window.replicas >= scale.min);
    let windows = windows.map(|Window { from, to, replicas }| cron(zone, [from, to], *replicas));
    // The most that any trigger asks for counts: a rest is the usual number at all other times.
    let rest = scale.rest().into_iter();
    let windows = windows.chain(rest.map(|rest| cron(zone, [&rest.to, &rest.from], scale.min)));
    let all = queue.chain(cpu).chain(metrics).chain(windows).enumerate();
    let all = all.map(|(at, mut trigger)| {
        if flagger && trigger["metadata"]["query"].is_string() {
            trigger["name"] = json!(format!("query-{}", at + 1));
        }
        trigger
    });
    all.collect()
}

/// Each query by its trigger's name: Flagger would put the stable copy's name into the agent's label,
/// which is the same for both.
pub(super) fn queries(input: &Input, scale: &Scale) -> Option<Map<String, Value>> {
    let all = triggers(input, scale).into_iter().filter_map(|trigger| {
        let name = trigger["name"].as_str()?.to_owned();
        Some((name, trigger["metadata"]["query"].clone()))
    });
    filled(all.collect::<Map<_, _>>())
}

/// The password, token or role that the queue wants.
pub(super) fn authentication(input: &Input, scale: &Scale) -> Option<Value> {
    let queue = scale.queue.as_ref()?;
    let secret = queue.secret.as_ref().and_then(|secret| {
        let mut reference = env::reference(input, secret);
        reference["parameter"] = json!(parameter(queue.kind)?);
        Some(vec![reference])
    });
    let identity = (queue.kind == QueueKind::Sqs).then(|| json!({ "provider": "aws" }));
    (secret.is_some() || identity.is_some()).then(|| {
        let metadata = input.metadata(&name(input));
        json!({ "metadata": metadata, "secrets": secret, "identity": identity })
    })
}

fn name(input: &Input) -> String {
    format!("{}-queue", input.agent())
}

/// What the trigger calls that which the secret holds.
fn parameter(kind: QueueKind) -> Option<&'static str> {
    match kind {
        QueueKind::RedisList => Some("password"),
        QueueKind::Rabbitmq => Some("host"),
        QueueKind::Prometheus => Some("bearerToken"),
        QueueKind::Sqs | QueueKind::Kafka => None,
    }
}

fn waiting(input: &Input, queue: &Queue) -> Value {
    let (kind, metadata) = match queue.kind {
        QueueKind::RedisList => ("redis", redis(input, queue)),
        QueueKind::Rabbitmq => ("rabbitmq", rabbitmq(input, queue)),
        QueueKind::Sqs => ("aws-sqs-queue", sqs(queue)),
        QueueKind::Kafka => ("kafka", kafka(input, queue)),
        QueueKind::Prometheus => ("prometheus", prometheus(input, queue)),
    };
    let asks = queue.secret.is_some() || queue.kind == QueueKind::Sqs;
    let reference = asks.then(|| json!({ "name": name(input) }));
    json!({ "type": kind, "metadata": metadata, "authenticationRef": reference })
}

fn redis(input: &Input, queue: &Queue) -> Value {
    json!({
        "address": address(input, queue),
        "listName": queue.name,
        "listLength": queue.per_replica.to_string(),
    })
}

fn rabbitmq(input: &Input, queue: &Queue) -> Value {
    let host = match queue.secret {
        Some(_) => None,
        None => address(input, queue).map(|address| match address.contains("://") {
            true => address,
            false => format!("amqp://{address}/"),
        }),
    };
    json!({
        "protocol": "auto",
        "mode": "QueueLength",
        "host": host,
        "queueName": queue.name,
        "value": queue.per_replica.to_string(),
    })
}

fn sqs(queue: &Queue) -> Value {
    json!({
        "queueURL": queue.address,
        "queueLength": queue.per_replica.to_string(),
        "awsRegion": queue.region,
    })
}

fn kafka(input: &Input, queue: &Queue) -> Value {
    json!({
        "bootstrapServers": address(input, queue),
        "consumerGroup": queue.group,
        "topic": queue.name,
        "lagThreshold": queue.per_replica.to_string(),
    })
}

fn prometheus(input: &Input, queue: &Queue) -> Value {
    let server = address(input, queue).or_else(|| input.spec.observe.prometheus.clone());
    json!({
        "serverAddress": server,
        "query": queue.name,
        "threshold": queue.per_replica.to_string(),
        "authModes": queue.secret.is_some().then_some("bearer"),
    })
}

fn cpu(input: &Input, percent: u32) -> Value {
    let container = (input.minor() >= super::BY_CONTAINER).then(|| input.agent());
    let metadata = json!({ "value": percent.to_string(), "containerName": container });
    json!({ "type": "cpu", "metricType": "Utilization", "metadata": metadata })
}

fn metric(input: &Input, figure: &Figure) -> Value {
    let metadata = json!({
        "serverAddress": input.spec.observe.prometheus,
        "query": figure.query,
        "threshold": figure.target.to_string(),
    });
    json!({ "type": "prometheus", "metadata": metadata })
}

fn cron(zone: &str, [from, to]: [&String; 2], replicas: u32) -> Value {
    let metadata = json!({
        "timezone": zone,
        "start": from,
        "end": to,
        "desiredReplicas": replicas.to_string(),
    });
    json!({ "type": "cron", "metadata": metadata })
}

/// KEDA asks from a namespace of its own, where the agent's services have no short names.
fn address(input: &Input, queue: &Queue) -> Option<String> {
    let address = queue.address.as_ref()?;
    let Some(namespace) = input.namespace() else {
        return Some(address.clone());
    };
    let each = address
        .split(',')
        .map(|one| qualified(one, namespace, input));
    Some(each.collect::<Vec<_>>().join(","))
}

fn qualified(one: &str, namespace: &str, input: &Input) -> String {
    let start = one.find("://").map_or(0, |at| at + 3);
    let start = one.find('@').map_or(start, |at| at + 1);
    let length = one[start..].find([':', '/']);
    let end = length.map_or(one.len(), |length| start + length);
    let (before, host, after) = (&one[..start], &one[start..end], &one[end..]);
    match input.spec.services.contains_key(host) {
        true => format!("{before}{host}.{namespace}.svc{after}"),
        false => one.to_owned(),
    }
}
