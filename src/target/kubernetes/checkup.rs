//! What `doctor` asks of a cluster.

use anyhow::Result;
use futures_util::future::try_join_all;
use hyper::Method;
use serde_json::json;

use super::Cluster;
use super::cluster::Body;
use crate::advice::{advice, because};
use crate::render::Right;

const PULL_SECRET: &str = "kubernetes.io/dockerconfigjson";

impl Cluster {
    /// `https://10.0.0.1:6443`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// # Errors
    /// Those of these rights that we do not have.
    pub(crate) async fn may_all(&self, rights: &[Right]) -> Result<()> {
        let each = rights.iter().flat_map(|right| {
            let verbs = right.verbs.iter();
            verbs.map(move |verb| self.may_do(right, verb))
        });
        let answers: Vec<Option<String>> = try_join_all(each).await?;
        let missing: Vec<String> = answers.into_iter().flatten().collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(because(
                format!(
                    "may not do all that a deploy takes in the namespace {}",
                    self.namespace
                ),
                format!("not allowed there: {}", missing.join("; ")),
                "ask whoever runs the cluster for the Role that agentctl render rbac prints",
            )),
        }
    }

    /// `None`: it is allowed.
    async fn may_do(&self, right: &Right, verb: &str) -> Result<Option<String>> {
        let (resource, part) = match right.resource.split_once('/') {
            Some((resource, part)) => (resource, part),
            None => (right.resource.as_str(), ""),
        };
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "namespace": self.namespace, "group": right.group, "verb": verb,
                "resource": resource, "subresource": part,
            } },
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let body = Body::Json(review);
        let answer = self
            .ask(Method::POST, path, &body, "ask for our rights")
            .await?;
        let group = match right.group.as_str() {
            "" => String::new(),
            group => format!("{group}/"),
        };
        let lacking = answer["status"]["allowed"] != true;
        Ok(lacking.then(|| format!("{verb} of {group}{}", right.resource)))
    }

    /// # Errors
    /// Where a Secret that images are pulled with is missing, or has no login for this registry.
    pub(crate) async fn can_pull(&self, secrets: &[String], registry: &str) -> Result<()> {
        for name in secrets {
            let path = format!("/api/v1/namespaces/{}/secrets/{name}", self.namespace);
            let secret = self.get(&path).await?;
            let make = format!(
                "kubectl create secret docker-registry {name} -n {} --docker-server={registry} \
                 --docker-username=… --docker-password=…",
                self.namespace
            );
            match secret {
                None => {
                    return Err(advice(
                        format!("there is no Secret {name} to pull with"),
                        make,
                    ));
                }
                Some(secret) if secret["type"] != PULL_SECRET => {
                    let what = format!("the Secret {name} is not of the type {PULL_SECRET}");
                    return Err(advice(what, make));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether metrics of pods are served, which the cluster's own autoscaler needs.
    pub(crate) async fn has_metrics(&self) -> Result<bool> {
        Ok(self.served().await?.serves("metrics.k8s.io"))
    }
}
