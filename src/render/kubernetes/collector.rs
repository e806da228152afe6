//! The OpenTelemetry collector beside each replica, and what the agent is told about where to send.

use serde_json::{Map, Value, json};

use super::container::{self, Sidecar};
use super::{Part, config};
use crate::render::{Failure, Input, Templates, telemetry, yaml};
use crate::spec::contract;
use crate::spec::{Quantity, Resources};

const VOLUME: &str = "agent-collector";

/// Where the image looks for its configuration.
const FOLDER: &str = "/etc/otelcol";
const MAP: &str = "collector";

const FILE: &str = "config.yaml";

/// Variables that any OpenTelemetry library reads.
pub(super) fn told(input: &Input) -> Vec<(&'static str, String)> {
    telemetry::told(&input.spec, "localhost")
}

/// Its configuration, named by what is in it.
pub(super) fn parts(input: &Input, templates: &Templates) -> Result<Vec<Part>, Failure> {
    let Some(export) = telemetry::export(&input.spec) else {
        return Ok(Vec::new());
    };
    Ok(vec![config::part(input, MAP, data(export, templates)?)])
}

fn data(export: &str, templates: &Templates) -> Result<Map<String, Value>, Failure> {
    let template = "kubernetes/collector.yaml";
    let object = templates.object(template, &telemetry::collector(export))?;
    let text = yaml::write(&object)?;
    Ok(Map::from_iter([(FILE.to_owned(), json!(text))]))
}

pub(super) fn volume(input: &Input, templates: &Templates) -> Result<Option<Value>, Failure> {
    let Some(export) = telemetry::export(&input.spec) else {
        return Ok(None);
    };
    let name = config::named(input, MAP, &data(export, templates)?);
    Ok(Some(
        json!({ "name": VOLUME, "configMap": { "name": name } }),
    ))
}

pub(super) fn sidecar(input: &Input) -> Option<Sidecar<'static>> {
    telemetry::export(&input.spec)?;
    Some(Sidecar {
        name: contract::COLLECTOR,
        image: telemetry::IMAGE,
        command: &[],
        ports: vec![json!({ "name": "health", "containerPort": contract::COLLECTOR_HEALTH })],
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
