//! Where an agent's traces and figures go: what any OpenTelemetry library is told, and what the
//! collector beside the agent does with them.

use serde_json::{Value, json};

use crate::spec::contract::COLLECTOR_HTTP;
use crate::spec::{Otel, Spec};

/// The collector, without what only some of its many parts need.
pub(super) const IMAGE: &str = "otel/opentelemetry-collector:0.159.0";

/// The port that means gRPC wherever OTLP is spoken.
const GRPC: &str = ":4317";

/// Variables that any OpenTelemetry library reads; the collector beside the agent is at `host`.
pub(super) fn told(spec: &Spec, host: &str) -> Vec<(&'static str, String)> {
    let endpoint = match &spec.observe.otel {
        Otel::Off => return Vec::new(),
        Otel::Sidecar => format!("http://{host}:{COLLECTOR_HTTP}"),
        Otel::Collector(url) => url.clone(),
    };
    let protocol = match is_grpc(&endpoint) {
        true => "grpc",
        false => "http/protobuf",
    };
    vec![
        ("OTEL_SERVICE_NAME", spec.agent.name.clone()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
    ]
}

/// Where the collector beside the agent sends to; `None` where there is none.
pub(super) fn export(spec: &Spec) -> Option<&str> {
    match spec.observe.otel {
        Otel::Sidecar => spec.observe.export.as_deref(),
        Otel::Off | Otel::Collector(_) => None,
    }
}

/// Where all of it leaves the replica for.
pub(super) fn leaves_for(spec: &Spec) -> Option<&str> {
    match &spec.observe.otel {
        Otel::Collector(url) => Some(url),
        Otel::Sidecar | Otel::Off => export(spec),
    }
}

/// What the templates of the collector's configuration are given.
pub(super) fn collector(export: &str) -> Value {
    // The collector puts variables in where it finds a dollar sign.
    let mut settings = json!({ "endpoint": export.replace('$', "$$") });
    let exporter = match is_grpc(export) {
        true => "otlp",
        false => "otlphttp",
    };
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

fn is_grpc(url: &str) -> bool {
    url.trim_end_matches('/').ends_with(GRPC)
}
