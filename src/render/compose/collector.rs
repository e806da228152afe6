//! The OpenTelemetry collector beside the agent, and what the agent is told about where to send.

use serde_json::{Value, json};

use super::agent::own_name;
use super::beside::Entry;
use super::container::{self, Container};
use super::text::literal;
use crate::render::{Failure, Input, Templates, telemetry};
use crate::spec::contract;
use crate::spec::{Quantity, Resources};

/// Variables that any OpenTelemetry library reads.
pub(super) fn told(input: &Input) -> Vec<(&'static str, String)> {
    let told = telemetry::told(&input.spec, &own_name(input, contract::STACK_COLLECTOR));
    let literal = |(name, value): (_, String)| (name, literal(&value));
    told.into_iter().map(literal).collect()
}

/// Its configuration, where there is one.
pub(super) fn config(input: &Input, templates: &Templates) -> Result<Option<Value>, Failure> {
    let export = telemetry::export(&input.spec);
    let config = |export| templates.object("compose/collector.yaml", &telemetry::collector(export));
    export.map(config).transpose()
}

pub(super) fn entry(input: &Input) -> Option<Entry> {
    telemetry::export(&input.spec)?;
    // Above what its own configuration lets it take.
    let resources = Resources {
        memory_limit: Quantity::parse("256Mi").ok(),
        ..Resources::default()
    };
    let config = json!({ "source": "collector", "target": "/etc/otelcol/config.yaml" });
    let container = Container {
        image: telemetry::IMAGE.to_owned(),
        restart: Some(container::ALWAYS.to_owned()),
        user: container::user(10001),
        configs: Some(vec![config]),
        deploy: container::deploy(1, &resources, None),
        ..Container::default()
    };
    Some(Entry::plain(
        own_name(input, contract::STACK_COLLECTOR),
        container,
    ))
}
