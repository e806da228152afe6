//! Secrets that a release names, and whether the cluster has them: without one of them a pod is made,
//! and never started.

use anyhow::Result;
use serde_json::Value;

use super::refusal;
use super::{Cluster, address};
use crate::advice::advice;
use crate::release::Release;
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
        let own = format!("{}-secrets", self.agent);
        let named = references(&release.objects).filter(|one| one.secret.starts_with(&own));
        for reference in named {
            if self.lacks(reference).await? == Some(true) {
                let Reference { secret, key } = reference;
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
            match self.lacks(Reference { secret, key }).await? {
                Some(true) => return Err(self.lacking(name, secret, key)),
                Some(false) => {}
                None => unseen.push(secret.to_owned()),
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

    /// `None`: we may not look.
    async fn lacks(&self, reference: Reference<'_>) -> Result<Option<bool>> {
        let all = address::all("v1", "Secret", &self.namespace);
        match self.get(&format!("{all}/{}", reference.secret)).await {
            Err(error) if refusal::code(&error) == Some(403) => Ok(None),
            found => {
                Ok(Some(found?.is_none_or(|secret| {
                    secret["data"][reference.key].is_null()
                })))
            }
        }
    }
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
