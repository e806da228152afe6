use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the agent is watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Observe {
    /// The path of the agent's own figures, as Prometheus reads them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url-path"))]
    pub(crate) metrics: Option<String>,
    /// `off`, `sidecar` (a collector beside each replica), or the URL of a collector.
    #[schemars(extend("format" = "otel"))]
    pub(crate) otel: Otel,
    /// Where the collector sends what it collects: an OTLP URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url"))]
    pub(crate) export: Option<String>,
    /// Where Prometheus answers queries, for scaling and analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "url"))]
    pub(crate) prometheus: Option<String>,
    /// Objects of the Prometheus Operator and a Grafana dashboard.
    pub(crate) dashboards: bool,
}

/// Where the agent sends traces and figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) enum Otel {
    #[default]
    Off,
    Sidecar,
    Collector(String),
}

impl From<String> for Otel {
    fn from(text: String) -> Self {
        match text.as_str() {
            "off" => Self::Off,
            "sidecar" => Self::Sidecar,
            _ => Self::Collector(text),
        }
    }
}

impl From<Otel> for String {
    fn from(otel: Otel) -> Self {
        match otel {
            Otel::Off => "off".to_owned(),
            Otel::Sidecar => "sidecar".to_owned(),
            Otel::Collector(url) => url,
        }
    }
}

impl JsonSchema for Otel {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Otel".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "otel"})
    }
}
