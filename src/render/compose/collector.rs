//! The OpenTelemetry collector beside the agent, and what the agent is told about where to send.

use serde_json::{Value, json};

use super::agent::own_name;
use super::beside::Entry;
use super::container::{self, Container};
use super::text::literal;
use crate::render::{Failure, Input, Templates, presets};
use crate::spec::{Otel, Quantity, Resources};

/// The port that means gRPC wherever OTLP is spoken.
const GRPC: &str = ":4317";

/// Variables that any OpenTelemetry library reads.
pub(super) fn told(input: &Input) -> Vec<(&'static str, Option<String>)> {
    let endpoint = match &input.spec.observe.otel {
        Otel::Off => return Vec::new(),
        Otel::Sidecar => format!("http://{}:4318", own_name(input, "collector")),
        Otel::Collector(url) => url.clone(),
    };
    let protocol = match is_grpc(&endpoint) {
        true => "grpc",
        false => "http/protobuf",
    };
    vec![
        ("OTEL_SERVICE_NAME", Some(input.spec.agent.name.clone())),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", Some(protocol.to_owned())),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", Some(literal(&endpoint))),
    ]
}

fn is_grpc(url: &str) -> bool {
    url.trim_end_matches('/').ends_with(GRPC)
}

/// Where it sends to, if there is one.
fn export(input: &Input) -> Option<&str> {
    match input.spec.observe.otel {
        Otel::Sidecar => input.spec.observe.export.as_deref(),
        _ => None,
    }
}

/// Its configuration.
pub(super) fn config(input: &Input, templates: &Templates) -> Result<Option<Value>, Failure> {
    let Some(export) = export(input) else {
        return Ok(None);
    };
    // It puts variables in where it finds a dollar sign, as Compose does.
    let mut settings = json!({ "endpoint": literal(export) });
    let exporter = match is_grpc(export) {
        true => "otlp",
        false => "otlphttp",
    };
    if is_grpc(export) {
        settings["tls"] = json!({ "insecure": export.starts_with("http://") });
    }
    let pipeline = json!({
        "receivers": ["otlp"],
        "processors": ["memory_limiter", "batch"],
        "exporters": [exporter],
    });
    let context = json!({ "exporters": { exporter: settings }, "pipeline": pipeline });
    templates
        .object("compose/collector.yaml", &context)
        .map(Some)
}

pub(super) fn entry(input: &Input) -> Option<Entry> {
    export(input)?;
    // Above what its own configuration lets it take.
    let resources = Resources {
        memory_limit: Quantity::parse("256Mi").ok(),
        ..Resources::default()
    };
    let config = json!({ "source": "collector", "target": "/etc/otelcol/config.yaml" });
    let container = Container {
        image: presets::COLLECTOR.to_owned(),
        restart: Some(container::ALWAYS.to_owned()),
        user: container::user(10001),
        configs: Some(vec![config]),
        deploy: container::deploy(1, &resources, None),
        ..Container::default()
    };
    Some(Entry::plain(own_name(input, "collector"), container))
}
