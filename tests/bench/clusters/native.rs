//! The same pods as a Deployment that is changed by `kubectl`, behind a Service of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde_json::json;

use super::address;
use crate::place::Place;

const NAME: &str = "native";

pub(super) struct Workload<'a>(&'a Place);

impl<'a> Workload<'a> {
    /// As people write it: a readiness probe, and nothing that waits before a pod is told to end.
    pub(super) fn start(place: &'a Place, replicas: u32, ready_after: &str) -> Result<Self> {
        let labels = json!({ "app": NAME });
        let env = json!([
            { "name": "PORT", "value": "8000" },
            { "name": "AGENT_RELEASE", "value": "r0" },
            { "name": "READY_AFTER", "value": ready_after },
            { "name": "LEAVES", "value": "1" },
            { "name": "HOST", "value": "0.0.0.0" },
        ]);
        let probe = json!({ "httpGet": { "path": "/ready", "port": 8000 }, "periodSeconds": 1 });
        let pod = json!({
            "metadata": { "labels": labels },
            "spec": {
                "terminationGracePeriodSeconds": 60,
                "containers": [{
                    "name": NAME, "image": place.image(), "env": env,
                    "command": ["/program", "agent"], "readinessProbe": probe,
                    "ports": [{ "containerPort": 8000 }],
                }],
            },
        });
        let strategy = json!({
            "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 },
        });
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME },
            "spec": {
                "replicas": replicas, "strategy": strategy, "selector": { "matchLabels": labels },
                "template": pod,
            },
        });
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": NAME },
            "spec": { "selector": labels, "ports": [{ "port": 8000 }] },
        });
        let it = Self(place);
        for object in [deployment, service] {
            let file = place.path("native.json");
            std::fs::write(&file, object.to_string())?;
            it.kubectl(&["apply", "-f", &file.display().to_string()])?;
        }
        it.is_out()?;
        Ok(it)
    }

    pub(super) fn address(&self) -> Result<SocketAddr> {
        address(self.0.namespace()?, NAME)
    }

    /// How long it took until all pods were of the new release.
    pub(super) fn change(&self, value: u64) -> Result<Duration> {
        let began = Instant::now();
        let release = format!("AGENT_RELEASE=r{value}");
        self.kubectl(&["set", "env", "deployment", NAME, &release])?;
        self.is_out()?;
        Ok(began.elapsed())
    }

    fn is_out(&self) -> Result<()> {
        self.kubectl(&["rollout", "status", "deployment", NAME])
    }

    fn kubectl(&self, args: &[&str]) -> Result<()> {
        let ran = self.0.namespace()?.kubectl(args);
        ran.map(drop).map_err(|why| anyhow!("{why}"))
    }
}
