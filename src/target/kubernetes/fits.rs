//! What is known before anything is changed: that a deploy cannot succeed in this namespace.

use std::collections::BTreeMap;

use anyhow::Result;
use hyper::Method;
use serde_json::{Value, json};

use super::Cluster;
use super::cluster::Body;
use super::refusal;
use crate::advice::{advice, because};
use crate::spec::{Kind, Spec};

/// What has to be allowed, as `group/resource`, and how.
type Needs = BTreeMap<(&'static str, &'static str), &'static [&'static str]>;

const KEEP: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];
const LOOK: &[&str] = &["list", "watch"];
/// What releases have of their own goes with them.
const OWN: &[&str] = &["get", "list", "create", "patch", "delete"];
const APPLY: &[&str] = &["get", "create", "patch"];

impl Cluster {
    /// The namespace is there with the Secrets that agent.toml refers to, and all that a deploy does is
    /// allowed in it; the answer is what could not be looked at, in words.
    pub(crate) async fn fits(&self, spec: &Spec) -> Result<Vec<String>> {
        self.has_namespace().await?;
        self.may(spec).await?;
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

    async fn may(&self, spec: &Spec) -> Result<()> {
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
        let missing = missing(&needs(spec), status["resourceRules"].as_array());
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

fn needs(spec: &Spec) -> Needs {
    let kind = spec.agent.kind;
    let mut needs = Needs::from([
        (workloads(kind), KEEP),
        (("", "services"), KEEP),
        (("", "serviceaccounts"), APPLY),
        (("networking.k8s.io", "networkpolicies"), OWN),
        (("", "pods"), LOOK),
        (("", "pods/log"), &["get"][..]),
        (("", "events"), LOOK),
        (
            ("", "configmaps"),
            &["get", "list", "create", "update", "patch", "delete"],
        ),
        (
            ("coordination.k8s.io", "leases"),
            &["get", "list", "watch", "create", "update"],
        ),
    ]);
    if !spec.secrets.is_empty() {
        needs.insert(("", "secrets"), OWN);
    }
    if !spec.rollout.probe.is_empty() && kind == Kind::Service {
        needs.insert(("", "pods/proxy"), &["get", "create"]);
    }
    needs
}

fn workloads(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Service | Kind::Worker => ("apps", "deployments"),
        Kind::Stateful => ("apps", "statefulsets"),
        Kind::Daemon => ("apps", "daemonsets"),
        Kind::Job => ("batch", "jobs"),
        Kind::Cron => ("batch", "cronjobs"),
    }
}

/// `create, patch of apps/deployments`.
fn missing(needs: &Needs, rules: Option<&Vec<Value>>) -> Vec<String> {
    let rules = rules.map_or(&[][..], Vec::as_slice);
    let allowed = |group: &str, resource: &str, verb: &str| {
        rules.iter().any(|rule| {
            names(&rule["apiGroups"], group)
                && names(&rule["resources"], resource)
                && names(&rule["verbs"], verb)
                && rule["resourceNames"].as_array().is_none_or(Vec::is_empty)
        })
    };
    let lacking = needs.iter().filter_map(|((group, resource), verbs)| {
        let verbs = verbs.iter().copied();
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
        let needs = Needs::from([
            (("apps", "deployments"), &["list", "patch"][..]),
            (("", "pods"), LOOK),
        ]);
        let all = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
        assert!(missing(&needs, all.as_array()).is_empty());
        let some = json!([
            { "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"] },
            { "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] },
        ]);
        assert_eq!(
            missing(&needs, some.as_array()),
            ["patch of apps/deployments"]
        );
    }
}
