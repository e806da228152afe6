//! What an OpenTelemetry library goes by: known to whoever checks an agent.toml, and to the edge, which
//! hears such libraries.

/// Variables by which an agent's own OpenTelemetry library tells its figures to others than the edge,
/// or to nobody.
pub(crate) const TELLS_ELSEWHERE: [&str; 6] = [
    "OTEL_SDK_DISABLED",
    "OTEL_METRICS_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
];
