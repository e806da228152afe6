//! Secrets that a release names, and whether the cluster has them: without one of them a pod is made,
//! and never started.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::refusal;
use super::{Cluster, address};
use crate::advice::advice;
use crate::release::{Identity, Release};
use crate::render::secret_of;
use crate::spec::Spec;

/// A key of a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) secret: &'a str,
    pub(super) key: &'a str,
}

/// Those of containers that are not started without.
pub(super) fn references(objects: &[Value]) -> impl Iterator<Item = Reference<'_>> {
    let mut found = Vec::new();
    objects
        .iter()
        .for_each(|object| collect(object, &mut found));
    found.into_iter()
}

fn collect<'a>(value: &'a Value, found: &mut Vec<Reference<'a>>) {
    let reference = &value["secretKeyRef"];
    if let (Some(secret), Some(key)) = (reference["name"].as_str(), reference["key"].as_str())
        && reference["optional"] != true
    {
        found.push(Reference { secret, key });
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|one| collect(one, found)),
        Value::Array(items) => items.iter().for_each(|one| collect(one, found)),
        _ => {}
    }
}

impl Cluster {
    /// # Errors
    /// Where values that the release was deployed with are not there any more.
    pub(super) async fn has_values_of(&self, release: &Release) -> Result<()> {
        let own = secret_of(&self.agent, None);
        let named = references(&release.objects).filter(|one| one.secret.starts_with(&own));
        let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        named.for_each(|one| keys.entry(one.secret).or_default().push(one.key));
        for (secret, keys) in keys {
            let found = self.secret_named(secret).await?;
            if let Found::There(found) = found
                && let Some(key) = lacks(&found, &keys)
            {
                return Err(advice(
                    format!(
                        "{} cannot be started: the Secret {secret} with its {key} was removed",
                        release.id
                    ),
                    "agentctl deploy makes a release of the values that are set here; agentctl \
                     rollback --to names another",
                ));
            }
        }
        Ok(())
    }

    /// What agent.toml refers to in the cluster itself is there, which is asked once.
    pub(crate) async fn referred(&self, spec: &Spec) -> Result<&Referred> {
        let look = async || {
            let mut referred = Referred::default();
            for (secret, keys) in named_in(spec) {
                self.refer(secret, &keys, &mut referred).await?;
            }
            Ok(referred)
        };
        self.referred.get_or_try_init(look).await
    }

    async fn refer(&self, secret: &str, keys: &Keys<'_>, referred: &mut Referred) -> Result<()> {
        let Found::There(found) = self.secret_named(secret).await? else {
            referred.unseen.push(secret.to_owned());
            return Ok(());
        };
        let wanted: Vec<&str> = keys.keys().copied().collect();
        if let Some(key) = lacks(&found, &wanted) {
            return Err(self.lacking(keys[key], secret, key));
        }
        referred
            .marks
            .insert(secret.to_owned(), mark(&found, &wanted));
        Ok(())
    }

    fn lacking(&self, name: &str, secret: &str, key: &str) -> anyhow::Error {
        let namespace = &self.namespace;
        advice(
            format!("the secret {name} has no value: no Secret {secret} in {namespace} has {key}"),
            format!("kubectl create secret generic {secret} -n {namespace} --from-literal={key}=…"),
        )
    }

    async fn secret_named(&self, name: &str) -> Result<Found> {
        let all = address::all("v1", "Secret", &self.namespace);
        match self.get(&format!("{all}/{name}")).await {
            Err(error) if refusal::code(&error) == Some(403) => Ok(Found::Unseen),
            found => Ok(Found::There(found?.unwrap_or_default())),
        }
    }
}

enum Found {
    /// Empty, if it is missing.
    There(Value),
    /// We may not look.
    Unseen,
}

/// What agent.toml refers to in the cluster itself.
#[derive(Debug, Default)]
pub(crate) struct Referred {
    /// Secrets that we may not look at.
    pub(crate) unseen: Vec<String>,
    /// What tells the values of the others from others, by the Secret that has them.
    pub(crate) marks: BTreeMap<String, Identity>,
}

/// Of a Secret, with the names that agent.toml has for them.
type Keys<'a> = BTreeMap<&'a str, &'a str>;

fn named_in(spec: &Spec) -> BTreeMap<&str, Keys<'_>> {
    let mut found: BTreeMap<&str, Keys<'_>> = BTreeMap::new();
    for (name, source) in &spec.secrets {
        if let Some((secret, key)) = source.referred(name) {
            found.entry(secret).or_default().insert(key, name);
        }
    }
    found
}

fn lacks<'k>(secret: &Value, keys: &[&'k str]) -> Option<&'k str> {
    let mut keys = keys.iter().copied();
    keys.find(|key| secret["data"][*key].is_null())
}

/// Only who may read the Secret knows its uid: to others, who guess values, the hash says nothing.
fn mark(secret: &Value, keys: &[&str]) -> Identity {
    let values: BTreeMap<&str, &Value> = keys
        .iter()
        .map(|key| (*key, &secret["data"][*key]))
        .collect();
    let text = json!({ "salt": secret["metadata"]["uid"], "values": values }).to_string();
    Identity::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let of = |more: Value| {
            let mut reference = json!({ "name": "theirs", "key": "k" });
            reference
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            json!({ "spec": { "containers": [{ "env": [
                { "name": "A", "value": "a" },
                { "name": "K", "valueFrom": { "secretKeyRef": reference } },
            ] }] } })
        };
        let (secret, key) = ("theirs", "k");
        let found = |object: &Value| references(std::slice::from_ref(object)).count();
        let needed = of(json!({}));
        let all: Vec<_> = references(std::slice::from_ref(&needed)).collect();
        assert_eq!(all, [Reference { secret, key }]);
        assert_eq!(found(&of(json!({ "optional": true }))), 0);
    }

    #[test]
    fn a_mark_is_of_the_values_that_are_referred_to() {
        let of = |uid: &str, value: &str, other: &str| {
            let data = json!({ "key": value, "other": other });
            mark(
                &json!({ "metadata": { "uid": uid }, "data": data }),
                &["key"],
            )
        };
        assert_eq!(of("1", "a", "b"), of("1", "a", "c"));
        assert_ne!(of("1", "a", "b"), of("1", "b", "b"));
        assert_ne!(of("1", "a", "b"), of("2", "a", "b"));
    }
}
