//! What pods wrote last.

use anyhow::Result;
use serde_json::Value;

use super::Kubernetes;
use super::refusal;
use crate::release::ReleaseId;
use crate::target::Log;

/// Nothing was written yet.
const NOT_YET: u16 = 400;

const GONE: &str = "unable to retrieve container logs for ";

impl Kubernetes {
    pub(super) async fn logs_of(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        let written = self
            .with_world(async |world, _| {
                world.catch_up()?;
                let things = &world.things;
                let pods = (1..).zip(things.pods(release));
                let all = pods.flat_map(|(replica, pod)| {
                    let writers = containers(pod).map(move |container| (replica, pod, container));
                    writers.map(|(replica, pod, container)| Written {
                        replica,
                        sidecar: (container != things.agent).then(|| container.to_owned()),
                        path: path(&things.namespace, pod, container, lines),
                    })
                });
                Ok(all.collect::<Vec<_>>())
            })
            .await?;
        let mut logs = Vec::new();
        for one in written {
            if let Some(lines) = self.lines(&one.path).await? {
                logs.push(Log {
                    release,
                    replica: one.replica,
                    sidecar: one.sidecar,
                    lines,
                });
            }
        }
        Ok(logs)
    }

    async fn lines(&self, path: &str) -> Result<Option<Vec<String>>> {
        match self.cluster.text(path).await {
            Err(error) if refusal::code(&error) == Some(NOT_YET) => Ok(Some(Vec::new())),
            Err(error) => Err(error),
            Ok(text) => Ok(text.map(|text| told(&text))),
        }
    }
}

/// Where a container is gone, its node says so in place of what it wrote.
fn told(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with(GONE));
    lines.map(str::to_owned).collect()
}

/// What one container wrote, and where that is read.
struct Written {
    replica: u32,
    sidecar: Option<String>,
    path: String,
}

/// Their names, the agent's first.
fn containers(pod: &Value) -> impl Iterator<Item = &str> {
    let all = pod["spec"]["containers"].as_array();
    let all = all.into_iter().flatten();
    all.filter_map(|container| container["name"].as_str())
}

fn path(namespace: &str, pod: &Value, container: &str, lines: usize) -> String {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    format!(
        "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&tailLines={lines}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_is_no_line_of_the_agent() {
        let text = "agent r1 starts\nunable to retrieve container logs for containerd://5f2c";
        assert_eq!(told(text), ["agent r1 starts"]);
    }
}
