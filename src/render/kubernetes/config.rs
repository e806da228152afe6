//! `[config]` and the prompts, as a ConfigMap named by what is in it: a changed prompt is another
//! ConfigMap, and an old release keeps its own.

use serde_json::{Map, Value, json};

use super::Part;
use crate::release::Identity;
use crate::render::{Failure, Input};

pub(super) const VOLUME: &str = "agent-config";

const CONFIG: &str = "config";

/// In bytes; what the cluster's own store takes.
const MOST: usize = 1024 * 1024;

const TEMPLATE: &str = "kubernetes/config.yaml";

pub(super) fn parts(input: &Input) -> Result<Vec<Part>, Failure> {
    let data = data(input);
    limited(&data, "config and prompts have")?;
    Ok(vec![part(input, CONFIG, data)])
}

/// A ConfigMap of the agent, named by what is in it.
pub(super) fn part(input: &Input, what: &str, data: Map<String, Value>) -> Part {
    let metadata = input.metadata(&named(input, what, &data));
    let file = match what {
        CONFIG => CONFIG.to_owned(),
        _ => format!("{CONFIG}-{what}"),
    };
    Part::new(
        TEMPLATE,
        file,
        json!({ "metadata": metadata, "data": data }),
    )
}

/// Refuses what a ConfigMap cannot hold; `whose` begins the sentence.
pub(super) fn limited(data: &Map<String, Value>, whose: &str) -> Result<(), Failure> {
    let texts = data.values().filter_map(Value::as_str);
    let size: usize =
        data.keys().map(String::len).sum::<usize>() + texts.map(str::len).sum::<usize>();
    match size > MOST {
        true => Err(Failure::refused(format!(
            "{whose} {size} bytes; a ConfigMap takes {MOST}"
        ))),
        false => Ok(()),
    }
}

pub(super) fn name(input: &Input) -> String {
    named(input, CONFIG, &data(input))
}

/// `support-agent-config-0123456789`, by what is in it.
pub(super) fn named(input: &Input, what: &str, data: &Map<String, Value>) -> String {
    let text = json!(data).to_string();
    let hash = Identity::of(text.as_bytes());
    format!("{}-{what}-{}", input.agent(), hash.short())
}

/// A key of a ConfigMap is no path: prompts are numbered, and `items` names them again.
fn data(input: &Input) -> Map<String, Value> {
    let config = json!(input.spec.config).to_string();
    let mut data = Map::from_iter([("config.json".to_owned(), json!(config))]);
    let prompts = input.prompts.values().enumerate();
    data.extend(prompts.map(|(at, text)| (format!("prompt-{at}"), json!(text))));
    data
}

/// The volume that shows both under their own names.
pub(super) fn volume(input: &Input) -> Value {
    let prompts = input.prompts.keys().enumerate();
    let prompts = prompts.map(
        |(at, path)| json!({ "key": format!("prompt-{at}"), "path": format!("prompts/{path}") }),
    );
    let config = json!({ "key": "config.json", "path": "config.json" });
    let items: Vec<Value> = std::iter::once(config).chain(prompts).collect();
    json!({ "name": VOLUME, "configMap": { "name": name(input), "items": items } })
}
