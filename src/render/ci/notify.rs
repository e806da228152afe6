//! Who is told how a deploy ended.

use serde_json::{Map, Value, json};

use super::{Pipeline, Stage, variable};
use crate::render::filled::filled;
use crate::spec::{Part, Template};

/// Addresses, each put together where it is used; `None` where nobody is told.
pub(super) fn env(stage: &Stage, pipeline: &Pipeline) -> Option<Map<String, Value>> {
    let notify = stage.spec.notify.as_ref()?;
    let both = [
        ("SLACK_URL", &notify.slack),
        ("WEBHOOK_URL", &notify.webhook),
    ];
    let given = both.into_iter().filter_map(|(name, address)| {
        let address = address.as_ref()?;
        Some((name.to_owned(), json!(text(address, stage, pipeline))))
    });
    let env: Map<String, Value> = given.collect();
    filled(env)
}

fn text(address: &Template, stage: &Stage, pipeline: &Pipeline) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => pipeline.literal(text),
        Part::Secret(name) => {
            let source = stage.spec.secrets.get(name).and_then(variable);
            pipeline.secret(source.unwrap_or(name))
        }
        Part::Variable(_) => stage.spec.run.port.to_string(),
    };
    address.0.iter().map(part).collect()
}
