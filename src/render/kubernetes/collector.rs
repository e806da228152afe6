//! The OpenTelemetry collector beside each replica, and what the agent is told about where to send.

use serde_json::{Map, Value, json};

use super::container::{self, Beside};
use super::{Part, config};
use crate::render::{Failure, Input, Templates, presets, yaml};
use crate::spec::{Otel, Quantity, Resources};

pub(super) const NAME: &str = "otel-collector";
const VOLUME: &str = "agent-collector";

/// Where the image looks for its configuration.
const FOLDER: &str = "/etc/otelcol";
const FILE: &str = "config.yaml";
const HEALTH: u16 = 13133;

/// What listens beside the agent.
const BESIDE: &str = "http://localhost:4318";

/// The port that means gRPC wherever OTLP is spoken.
const GRPC: &str = ":4317";

/// Variables that any OpenTelemetry library reads.
pub(super) fn told(input: &Input) -> Vec<(&'static str, String)> {
    let endpoint = match &input.spec.observe.otel {
        Otel::Off => return Vec::new(),
        Otel::Sidecar => BESIDE.to_owned(),
        Otel::Collector(url) => url.clone(),
    };
    vec![
        ("OTEL_SERVICE_NAME", input.agent().to_owned()),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            protocol(&endpoint).to_owned(),
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
    ]
}

fn protocol(url: &str) -> &'static str {
    match is_grpc(url) {
        true => "grpc",
        false => "http/protobuf",
    }
}

fn is_grpc(url: &str) -> bool {
    url.trim_end_matches('/').ends_with(GRPC)
}

fn export(input: &Input) -> Option<&str> {
    match input.spec.observe.otel {
        Otel::Sidecar => input.spec.observe.export.as_deref(),
        _ => None,
    }
}

/// Its configuration, named by what is in it.
pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let Some(export) = export(input) else {
        return Ok(Vec::new());
    };
    let data = data(export, templates)?;
    let metadata = input.metadata(&config::named(input, "collector", &data));
    let context = json!({ "metadata": metadata, "data": data });
    Ok(vec![Part::new(
        config::TEMPLATE,
        "config-collector",
        context,
    )])
}

fn data(export: &str, templates: &Templates) -> Result<Map<String, Value>, Failure> {
    let template = "kubernetes/collector.yaml";
    let object = templates.object(template, &context(export))?;
    let text = yaml::write(&object).map_err(|error| Failure::refused(error.to_string()))?;
    Ok(Map::from_iter([(FILE.to_owned(), json!(text))]))
}

fn context(export: &str) -> Value {
    let exporter = match is_grpc(export) {
        true => "otlp",
        false => "otlphttp",
    };
    // The collector would put variables in for $.
    let mut settings = json!({ "endpoint": export.replace('$', "$$") });
    if is_grpc(export) {
        settings["tls"] = json!({ "insecure": export.starts_with("http://") });
    }
    json!({
        "exporters": { exporter: settings },
        "pipeline": {
            "receivers": ["otlp"],
            "processors": ["memory_limiter", "batch"],
            "exporters": [exporter],
        },
    })
}

pub(super) fn volume(input: &Input, templates: &Templates) -> Result<Option<Value>, Failure> {
    let Some(export) = export(input) else {
        return Ok(None);
    };
    let name = config::named(input, "collector", &data(export, templates)?);
    Ok(Some(
        json!({ "name": VOLUME, "configMap": { "name": name } }),
    ))
}

pub(super) fn beside(input: &Input) -> Option<Beside<'static>> {
    export(input)?;
    Some(Beside {
        name: NAME,
        image: presets::COLLECTOR,
        command: &[],
        ports: vec![json!({ "name": "health", "containerPort": HEALTH })],
        env: Vec::new(),
        resources: container::resources(&resources(), None),
        probes: probes(),
        mounts: vec![json!({ "name": VOLUME, "mountPath": FOLDER, "readOnly": true })],
    })
}

fn resources() -> Resources {
    let quantity = |text| Quantity::parse(text).ok();
    Resources {
        cpu: quantity("50m"),
        memory: quantity("128Mi"),
        cpu_limit: None,
        memory_limit: quantity("256Mi"),
    }
}

/// It starts in a moment; until then the agent would lose what it sends.
fn probes() -> Value {
    let ask = json!({ "path": "/", "port": "health" });
    json!({
        "startup": { "httpGet": ask, "periodSeconds": 1, "failureThreshold": 60 },
        "ready": null,
        "live": { "httpGet": ask, "periodSeconds": 10, "failureThreshold": 3 },
    })
}
