//! What is known before anything is changed: that a deploy cannot succeed in this namespace.

use anyhow::Result;
use hyper::Method;
use serde_json::{Value, json};

use super::Cluster;
use super::cluster::Body;
use super::refusal;
use crate::advice::{advice, because};
use crate::render::Right;
use crate::spec::Spec;

impl Cluster {
    /// The namespace is there with the Secrets that agent.toml refers to, and all that a deploy does is
    /// allowed in it; the answer is what could not be looked at, in words.
    pub(crate) async fn fits(&self, spec: &Spec, needed: &[Right]) -> Result<Vec<String>> {
        self.has_namespace().await?;
        self.may(needed).await?;
        let unseen = self.referred(spec).await?.unseen.iter();
        Ok(unseen.map(|name| unseen_secret(name)).collect())
    }

    /// Who may not look at namespaces finds out later.
    pub(crate) async fn has_namespace(&self) -> Result<()> {
        let namespace = &self.namespace;
        let found = match self.get(&format!("/api/v1/namespaces/{namespace}")).await {
            Err(error) if refusal::code(&error) == Some(403) => return Ok(()),
            found => found?,
        };
        match found {
            None if self.makes_namespace.get() => {
                self.lacks_namespace.set(true);
                Ok(())
            }
            None => Err(advice(
                format!("the cluster has no namespace {namespace}"),
                format!(
                    "kubectl create namespace {namespace}; or create_namespace = true in the target \
                     of agent.toml"
                ),
            )),
            Some(found) if found["status"]["phase"] == "Terminating" => Err(advice(
                format!("the namespace {namespace} is being removed"),
                format!("wait for that: kubectl get namespace {namespace} --watch"),
            )),
            Some(_) => Ok(()),
        }
    }

    /// Made before the journal, which lies in it.
    pub(crate) async fn make_namespace(&self, objects: &[Value]) -> Result<()> {
        let namespaces = objects
            .iter()
            .filter(|object| object["kind"] == "Namespace");
        for namespace in namespaces.filter(|_| self.lacks_namespace.take()) {
            self.apply(namespace, false).await?;
        }
        Ok(())
    }

    async fn may(&self, needed: &[Right]) -> Result<()> {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": self.namespace },
        });
        let body = Body::Json(review);
        let answer = self
            .ask(Method::POST, path, &body, "ask for our rights")
            .await?;
        let status = &answer["status"];
        // Some authorizers cannot list what they allow.
        if status["incomplete"] == true {
            return Ok(());
        }
        let missing = missing(needed, status["resourceRules"].as_array());
        match missing.is_empty() {
            true => Ok(()),
            false => Err(because(
                format!(
                    "may not deploy {} into the namespace {}",
                    self.title, self.namespace
                ),
                format!("not allowed there: {}", missing.join("; ")),
                "ask whoever runs the cluster for the Role that agentctl render rbac prints",
            )),
        }
    }
}

pub(crate) fn unseen_secret(name: &str) -> String {
    format!("the Secret {name} was not looked at: reading it is not allowed")
}

/// `create, patch of apps/deployments`.
fn missing(needed: &[Right], rules: Option<&Vec<Value>>) -> Vec<String> {
    let rules = rules.map_or(&[][..], Vec::as_slice);
    let allowed = |group: &str, resource: &str, verb: &str| {
        rules.iter().any(|rule| {
            names(&rule["apiGroups"], group)
                && names(&rule["resources"], resource)
                && names(&rule["verbs"], verb)
                && rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
        })
    };
    let lacking = needed.iter().filter_map(|right| {
        let (group, resource) = (right.group.as_str(), right.resource.as_str());
        let verbs = right.verbs.iter().map(String::as_str);
        let verbs: Vec<&str> = verbs
            .filter(|verb| !allowed(group, resource, verb))
            .collect();
        let group = match group.is_empty() {
            true => String::new(),
            false => format!("{group}/"),
        };
        (!verbs.is_empty()).then(|| format!("{} of {group}{resource}", verbs.join(", ")))
    });
    lacking.collect()
}

fn names(list: &Value, what: &str) -> bool {
    let all = list.as_array().map_or(&[][..], Vec::as_slice);
    all.iter().any(|one| one == "*" || one == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_that_are_missing_are_named() {
        let right = |group: &str, resource: &str, verbs: [&str; 2]| Right {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verbs: verbs.map(str::to_owned).to_vec(),
        };
        let needed = [
            right("apps", "deployments", ["list", "patch"]),
            right("", "pods", ["list", "watch"]),
        ];
        let all = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
        assert!(missing(&needed, all.as_array()).is_empty());
        let some = json!([
            { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"] },
            { "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] },
        ]);
        assert_eq!(
            missing(&needed, some.as_array()),
            ["patch of apps/deployments"]
        );
    }
}
