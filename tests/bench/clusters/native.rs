//! The same pods as a Deployment that is changed by `kubectl`, behind a Service of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::address;
use crate::place::Place;

pub(super) struct Workload<'a> {
    place: &'a Place,
    name: &'static str,
}

impl<'a> Workload<'a> {
    /// As people write it: a readiness probe, and nothing that waits before a pod is told to end.
    pub(super) fn start(place: &'a Place, replicas: u32, ready_after: &str) -> Result<Self> {
        let env = json!([
            { "name": "PORT", "value": "8000" },
            { "name": "AGENT_RELEASE", "value": "r0" },
            { "name": "READY_AFTER", "value": ready_after },
            { "name": "LEAVES", "value": "1" },
            { "name": "HOST", "value": "0.0.0.0" },
        ]);
        let probe = json!({ "httpGet": { "path": "/ready", "port": 8000 }, "periodSeconds": 1 });
        let pod = json!({
            "terminationGracePeriodSeconds": 60,
            "containers": [{
                "name": "native", "image": place.image(), "env": env,
                "command": ["/program", "agent"], "readinessProbe": probe,
                "ports": [{ "containerPort": 8000 }],
            }],
        });
        Self::of(place, "native", replicas, &pod)
    }

    /// Of the very pods that agentctl has deployed, with all their probes and waits.
    pub(super) fn of_the_same(place: &'a Place, replicas: u32) -> Result<Self> {
        let all = place.namespace()?.get(&["deployments"]);
        let mut ours = all["items"].as_array().into_iter().flatten();
        let ours = ours.rfind(|one| one["metadata"]["name"] != "native");
        let pod = ours.map(|one| &one["spec"]["template"]["spec"]);
        let pod = pod.context("agentctl has deployed nothing")?;
        Self::of(place, "same", replicas, pod)
    }

    fn of(place: &'a Place, name: &'static str, replicas: u32, pod: &Value) -> Result<Self> {
        let labels = json!({ "app": name });
        let strategy = json!({
            "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 },
        });
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
            "spec": {
                "replicas": replicas, "strategy": strategy, "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels }, "spec": pod },
            },
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
            "spec": { "selector": labels, "ports": [{ "port": 8000 }] },
        });
        let it = Self { place, name };
        for object in [deployment, service] {
            let file = place.path("native.json");
            std::fs::write(&file, object.to_string())?;
            it.kubectl(&["apply", "-f", &file.display().to_string()])?;
        }
        it.is_out()?;
        Ok(it)
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        address(self.place.namespace()?, self.name)
    }

    /// How long it took until all pods were of the new release.
    pub(super) fn change(&self, value: u64) -> Result<Duration> {
        let began = Instant::now();
        let release = format!("AGENT_RELEASE=r{value}");
        self.kubectl(&["set", "env", "deployment", self.name, &release])?;
        self.is_out()?;
        Ok(began.elapsed())
    }

    fn is_out(&self) -> Result<()> {
        self.kubectl(&["rollout", "status", "deployment", self.name])
    }

    fn kubectl(&self, args: &[&str]) -> Result<()> {
        let ran = self.place.namespace()?.kubectl(args);
        ran.map(drop).map_err(|why| anyhow!("{why}"))
    }
}
