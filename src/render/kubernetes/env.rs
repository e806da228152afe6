//! Variables of a container. A secret stands in them by reference only; what `run.env` says outright
//! comes from a ConfigMap named by what is in it, so that a changed variable is another ConfigMap.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Part as Object, collector, config};
use crate::release::Identity;
use crate::render::filled::filled;
use crate::render::{Failure, Input};
use crate::spec::contract;
use crate::spec::{Part, SecretSource, Template};

const MAP: &str = "env";

/// The agent's own variables: what it is told, its secrets, and those of `run.env` in which a secret
/// stands.
pub(super) fn agent(input: &Input) -> Vec<Value> {
    let mut all = told(input);
    let telemetry = collector::told(input).into_iter();
    // Whoever says it in agent.toml knows better.
    let telemetry = telemetry.filter(|(name, _)| !is_own(name, input));
    all.extend(telemetry.map(|(name, value)| plain(name, &value)));
    all.extend(input.spec.secrets.keys().map(|name| secret(input, name)));
    let with_secret = own_variables(input).filter(|(_, template)| template.has_secret());
    all.extend(with_secret.map(|(name, template)| plain(name, &text(template, input))));
    all
}

/// The ConfigMap of those that are said outright.
pub(super) fn parts(input: &Input) -> Result<Vec<Object>, Failure> {
    let data = outright(input);
    config::limited(&data, "run.env has")?;
    let any = filled(data).map(|data| config::part(input, MAP, data));
    Ok(any.into_iter().collect())
}

/// Where the agent's container has them from.
pub(super) fn from(input: &Input) -> Vec<Value> {
    let map = filled(outright(input)).map(|data| config::named(input, MAP, &data));
    let reference = map.map(|name| json!({ "configMapRef": { "name": name } }));
    reference.into_iter().collect()
}

fn outright(input: &Input) -> Map<String, Value> {
    own_variables(input)
        .filter(|(_, template)| !template.has_secret())
        .map(|(name, template)| (name.clone(), json!(said(template, input))))
        .collect()
}

/// `run.env` without the secrets, which are variables already.
fn own_variables(input: &Input) -> impl Iterator<Item = (&String, &Template)> {
    let own = input.spec.run.env.iter();
    own.filter(|(name, _)| !input.spec.secrets.contains_key(*name))
}

/// A ConfigMap's values are taken as they are: no `$` is doubled in them.
fn said(template: &Template, input: &Input) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) | Part::Secret(text) => text.clone(),
        Part::Variable(_) => input.spec.run.port.to_string(),
    };
    template.0.iter().map(part).collect()
}

fn is_own(name: &str, input: &Input) -> bool {
    input.spec.run.env.contains_key(name) || input.spec.secrets.contains_key(name)
}

/// Those of what runs beside it: the secrets that stand in them come first.
pub(super) fn beside(env: &BTreeMap<String, Template>, input: &Input) -> Vec<Value> {
    let mut used: Vec<&String> = env.values().flat_map(Template::secrets).collect();
    used.sort();
    used.dedup();
    let secrets = used.into_iter().map(|name| secret(input, name));
    let plain = env
        .iter()
        .filter(|(name, template)| template.0 != [Part::Secret((*name).clone())])
        .map(|(name, template)| self::plain(name, &text(template, input)));
    secrets.chain(plain).collect()
}

fn told(input: &Input) -> Vec<Value> {
    let mut told = vec![
        plain("PORT", &input.spec.run.port.to_string()),
        plain("AGENT_NAME", input.agent()),
        plain("AGENT_CONFIG", contract::CONFIG),
    ];
    if let Some(release) = input.release {
        told.push(plain("AGENT_RELEASE", &release.to_string()));
    }
    if !input.prompts.is_empty() {
        told.push(plain("AGENT_PROMPTS", contract::PROMPTS));
    }
    told.push(downward("AGENT_REPLICA", "metadata.name"));
    told
}

fn plain(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

/// A field of the pod itself.
fn downward(name: &str, field: &str) -> Value {
    json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": field } } })
}

/// The variable that holds a secret.
fn secret(input: &Input, name: &str) -> Value {
    json!({ "name": name, "valueFrom": { "secretKeyRef": reference(input, name) } })
}

/// Where the cluster has a secret: the name of a Secret, and the key in it.
pub(super) fn reference(input: &Input, name: &str) -> Value {
    let source = input.spec.secrets.get(name);
    if let Some((object, key)) = source.and_then(|source| source.referred(name)) {
        return json!({ "name": object, "key": key });
    }
    let object = match source {
        Some(SecretSource::Vault(_) | SecretSource::External(_)) => external(input),
        _ => own(input),
    };
    json!({ "name": object, "key": name })
}

/// The Secret that agentctl fills from variables and files; a release has one of its own values, which
/// never change.
pub(super) fn own(input: &Input) -> String {
    secret_of(input.agent(), input.secret_values.as_ref())
}

/// `bot-secrets-0123456789`, by what marks the values; without it the one that all releases share.
pub(crate) fn secret_of(agent: &str, values: Option<&Identity>) -> String {
    match values {
        Some(values) => format!("{agent}-secrets-{}", values.short()),
        None => format!("{agent}-secrets"),
    }
}

/// The Secret that External Secrets fills.
pub(super) fn external(input: &Input) -> String {
    format!("{}-external", input.agent())
}

/// A text that no variable is put into: the cluster reads `$$` as one `$`, whatever follows, and
/// every other `$(` as a variable.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

pub(super) fn literals(words: &[String]) -> Vec<String> {
    words.iter().map(|word| literal(word)).collect()
}

/// `$(NAME)` is the variable NAME of the same container.
pub(super) fn text(template: &Template, input: &Input) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => literal(text),
        Part::Secret(name) => format!("$({name})"),
        Part::Variable(_) => input.spec.run.port.to_string(),
    };
    template.0.iter().map(part).collect()
}
