//! What pods wrote last.

use anyhow::Result;

use super::Kubernetes;
use super::refusal;
use crate::release::ReleaseId;
use crate::target::Log;

/// Nothing was written yet.
const NOT_YET: u16 = 400;

impl Kubernetes {
    pub(super) async fn logs_of(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        let paths = self
            .with_world(async |world, _| {
                world.catch_up()?;
                let things = &world.things;
                let pods = (1..).zip(things.pods(release));
                let path = |(number, pod): (u32, &serde_json::Value)| {
                    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
                    let (namespace, agent) = (&things.namespace, &things.agent);
                    let path = format!(
                        "/api/v1/namespaces/{namespace}/pods/{name}/log?container={agent}&tailLines={lines}"
                    );
                    (number, path)
                };
                Ok(pods.map(path).collect::<Vec<_>>())
            })
            .await?;
        let mut logs = Vec::new();
        for (replica, path) in paths {
            if let Some(lines) = self.lines(&path).await? {
                logs.push(Log {
                    release,
                    replica,
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
            Ok(text) => Ok(text.map(|text| text.lines().map(str::to_owned).collect())),
        }
    }
}
