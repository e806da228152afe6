//! A pod that walks a rollout, so that who began it may leave: a Job of this program, which finds all
//! it needs in the journal. One that dies is started again, and goes on where it was.

use std::rc::Rc;

use anyhow::Result;
use serde_json::{Value, json};

use super::address;
use super::cluster::{Cluster, MANAGER};
use super::heard::{Heard, Topic};
use super::papers::JOURNAL;
use super::pods::{Standing, standing};
use crate::advice::because;
use crate::render::deployer;

const RUNNER: &str = "agentctl.dev/runner";
/// What tells the pod which agent it is about.
const WHICH: &str = "agentctl.dev/agent.toml";
/// Nobody of this number is anybody on a node.
const NOBODY: u32 = 65532;
/// Lost pods that are made up for.
const AGAIN: u32 = 3;
const A_DAY: u32 = 86_400;
/// Wrong input, which is wrong the next time too.
const MISUSED: u64 = 2;

/// What is to be walked, and by which program.
pub(crate) struct Order<'a> {
    pub(crate) agent: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) rollout: u64,
    pub(crate) image: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) pull_secrets: &'a [String],
}

/// What is heard of it.
pub(crate) struct Runner {
    cluster: Rc<Cluster>,
    name: String,
    journal: Heard,
    pods: Heard,
}

impl Cluster {
    /// Who may deploy there.
    pub(crate) fn deployer(&self) -> String {
        deployer(&self.agent)
    }

    pub(crate) async fn has_deployer(&self) -> Result<bool> {
        let accounts = address::all("v1", "ServiceAccount", &self.namespace);
        let path = format!("{accounts}/{}", self.deployer());
        Ok(self.get(&path).await?.is_some())
    }

    /// The Job is there afterwards; those of earlier rollouts are not.
    pub(crate) async fn hand_over(self: &Rc<Self>, order: &Order<'_>) -> Result<Runner> {
        self.forget_runners().await?;
        let name = name(order);
        let journal = Topic {
            path: address::all("v1", "ConfigMap", &self.namespace),
            selectors: address::labelled(&format!("{JOURNAL}={}", self.agent)),
        };
        let journal = Heard::of(Rc::clone(self), journal).await?;
        self.apply(&job(order), false).await?;
        let pods = Topic {
            path: address::all("v1", "Pod", &self.namespace),
            selectors: address::labelled(&format!("job-name={name}")),
        };
        let pods = Heard::of(Rc::clone(self), pods).await?;
        Ok(Runner {
            cluster: Rc::clone(self),
            name,
            journal,
            pods,
        })
    }

    pub(super) async fn forget_runners(&self) -> Result<()> {
        let jobs = address::all("batch/v1", "Job", &self.namespace);
        let ours = address::labelled(&format!("{RUNNER}={}", self.agent));
        let list = self
            .get(&format!("{jobs}?{ours}"))
            .await?
            .unwrap_or_default();
        let names = list["items"].as_array().into_iter().flatten();
        for name in names.filter_map(|job| job["metadata"]["name"].as_str()) {
            self.delete(&format!("{jobs}/{name}")).await?;
        }
        Ok(())
    }
}

fn name(order: &Order<'_>) -> String {
    format!("{}-walks-{}", order.agent, order.rollout)
}

fn job(order: &Order<'_>) -> Value {
    // Not the agent's own labels: no Service may send requests to it.
    let labels = json!({ RUNNER: order.agent, "app.kubernetes.io/managed-by": MANAGER });
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name(order), "namespace": order.namespace, "labels": labels,
        },
        "spec": {
            "backoffLimit": AGAIN,
            "ttlSecondsAfterFinished": A_DAY,
            "template": {
                "metadata": { "labels": labels, "annotations": { WHICH: which(order) } },
                "spec": pod(order),
            },
        },
    })
}

/// As much of agent.toml as says which agent is meant, and where it is.
fn which(order: &Order<'_>) -> String {
    let target = format!(
        "target = {{ kubernetes = {{ namespace = {} }} }}",
        json!(order.namespace)
    );
    let (agent, environment) = (json!(order.agent), json!(order.environment));
    format!("[agent]\nname = {agent}\n\n[environments.{environment}]\n{target}\n")
}

fn pod(order: &Order<'_>) -> Value {
    let file = "/agent/agent.toml";
    let environment = order.environment;
    let command = [
        "/agentctl",
        "resume",
        "--as-job",
        "-f",
        file,
        "-e",
        environment,
    ];
    let secrets = order.pull_secrets.iter();
    let secrets: Vec<Value> = secrets.map(|name| json!({ "name": name })).collect();
    let which = json!({ "path": "agent.toml", "fieldRef": {
        "fieldPath": format!("metadata.annotations['{WHICH}']"),
    } });
    json!({
        "serviceAccountName": deployer(order.agent),
        "imagePullSecrets": secrets,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": NOBODY, "runAsGroup": NOBODY, "fsGroup": NOBODY,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "agentctl",
            "image": order.image,
            "command": command,
            "env": [{ "name": "XDG_STATE_HOME", "value": "/state" }],
            "resources": {
                "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" },
            },
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": [
                { "name": "agent", "mountPath": "/agent", "readOnly": true },
                { "name": "state", "mountPath": "/state" },
            ],
        }],
        "volumes": [
            { "name": "agent", "downwardAPI": { "items": [which] } },
            { "name": "state", "emptyDir": {} },
        ],
    })
}

impl Runner {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Waits until the journal has changed, or the pod: then the journal is worth another look.
    ///
    /// # Errors
    /// When no pod will walk the rollout any more.
    pub(crate) async fn news(&mut self) -> Result<()> {
        tokio::select! {
            told = self.journal.news() => told?,
            told = self.pods.news() => told?,
        }
        match self.stuck() {
            Some((pod, why)) => Err(self.nobody_walks(&pod, &why).await),
            None => Ok(()),
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn is_over(&self) -> bool {
        let mut pods = self.pods.objects.values();
        pods.any(|pod| pod["status"]["phase"] == "Succeeded")
    }

    /// The pod that no other will follow, and why.
    fn stuck(&self) -> Option<(String, String)> {
        let pods = || self.pods.objects.iter();
        let hopeless = pods().find_map(|(name, pod)| match standing(pod, false, &[]) {
            Standing::Hopeless(why) => Some((name.clone(), why)),
            _ => None,
        });
        let ended = || pods().filter_map(|(name, pod)| Some((name, code(pod)?)));
        let is_last = |code: u64| code == MISUSED || ended().count() > AGAIN as usize;
        hopeless.or_else(|| {
            let (name, code) = ended().find(|(_, code)| is_last(*code))?;
            Some((name.clone(), format!("exited with status {code}")))
        })
    }

    async fn nobody_walks(&self, pod: &str, why: &str) -> anyhow::Error {
        let pods = address::all("v1", "Pod", &self.cluster.namespace);
        let path = format!("{pods}/{pod}/log?tailLines=5");
        let log = self
            .cluster
            .text(&path)
            .await
            .ok()
            .flatten()
            .unwrap_or_default();
        let cause = match log.trim() {
            "" => why.to_owned(),
            lines => format!("{why}\n{lines}"),
        };
        because(
            format!("the pod {pod} does not walk the rollout"),
            cause,
            "agentctl resume goes on from here; agentctl abort undoes it",
        )
    }
}

/// What its program ended with, if it failed.
fn code(pod: &Value) -> Option<u64> {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let ended = &statuses?.first()?["state"]["terminated"]["exitCode"];
    (pod["status"]["phase"] == "Failed").then(|| ended.as_u64())?
}

#[cfg(test)]
mod tests;
