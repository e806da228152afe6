//! Secrets that a release names, and whether the cluster has them: without one of them a pod is made,
//! and never started.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::refusal;
use super::{Cluster, address};
use crate::advice::advice;
use crate::release::Release;
use crate::render::secret_of;
use crate::spec::{SecretSource, Spec};

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
            if let Looked::Lacks(key) = self.look(secret, &keys).await? {
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

    /// What agent.toml refers to in the cluster itself is there; the answer names the Secrets that we
    /// may not look at.
    pub(crate) async fn has_secrets(&self, spec: &Spec) -> Result<Vec<String>> {
        let mut unseen = Vec::new();
        for (name, source) in &spec.secrets {
            let SecretSource::Kubernetes(place) = source else {
                continue;
            };
            let (secret, key) = place.split_once('/').unwrap_or((place, name));
            match self.look(secret, &[key]).await? {
                Looked::Lacks(key) => return Err(self.lacking(name, secret, key)),
                Looked::Whole => {}
                Looked::Unseen => unseen.push(secret.to_owned()),
            }
        }
        Ok(unseen)
    }

    fn lacking(&self, name: &str, secret: &str, key: &str) -> anyhow::Error {
        let namespace = &self.namespace;
        advice(
            format!("the secret {name} has no value: no Secret {secret} in {namespace} has {key}"),
            format!("kubectl create secret generic {secret} -n {namespace} --from-literal={key}=…"),
        )
    }

    async fn look<'k>(&self, secret: &str, keys: &[&'k str]) -> Result<Looked<'k>> {
        let all = address::all("v1", "Secret", &self.namespace);
        let found = match self.get(&format!("{all}/{secret}")).await {
            Err(error) if refusal::code(&error) == Some(403) => return Ok(Looked::Unseen),
            found => found?.unwrap_or_default(),
        };
        let lacking = keys.iter().find(|key| found["data"][**key].is_null());
        Ok(lacking.map_or(Looked::Whole, |key| Looked::Lacks(key)))
    }
}

/// What a look at a Secret tells of the keys that are needed of it.
enum Looked<'k> {
    Whole,
    Lacks(&'k str),
    /// We may not look.
    Unseen,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
}
