//! What containers wrote, as the engine keeps it.

use std::collections::HashMap;

use anyhow::Result;
use bollard::query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder};
use futures_util::StreamExt;

use super::Host;
use super::names::SERVICE;
use super::objects::is_missing;
use crate::edge::containers::{BESIDE, REPLICA};
use crate::release::ReleaseId;
use crate::target::Log;

impl Host {
    /// The last lines of every replica of a release and of its sidecars, by replica number.
    pub(super) async fn logs_of(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        let asked = ListContainersOptionsBuilder::new().all(true);
        let asked = asked.filters(&self.names.of_release(release)).build();
        let all = self.engine.docker.list_containers(Some(asked)).await;
        let mut logs = Vec::new();
        for one in all.map_err(|error| self.engine.failure(error))? {
            let who = one.labels.and_then(|labels| who(&labels));
            if let Some(((replica, sidecar), id)) = who.zip(one.id) {
                let lines = self.last_lines(&id, lines).await?;
                logs.push(Log {
                    release,
                    replica,
                    sidecar,
                    lines,
                });
            }
        }
        logs.sort_by_key(|log| (log.replica, log.sidecar.clone()));
        Ok(logs)
    }

    pub(super) async fn last_lines(&self, container: &str, lines: usize) -> Result<Vec<String>> {
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true);
        let options = options.tail(&lines.to_string()).build();
        let mut logs = std::pin::pin!(self.engine.docker.logs(container, Some(options)));
        let mut text = Vec::new();
        while let Some(piece) = logs.next().await {
            match piece {
                Ok(piece) => text.extend_from_slice(&piece.into_bytes()),
                // Replicas come and go while they are asked.
                Err(error) if is_missing(&error) => break,
                Err(error) => return Err(self.engine.failure(error)),
            }
        }
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// The replica's number, and which sidecar of it.
fn who(labels: &HashMap<String, String>) -> Option<(u32, Option<String>)> {
    match labels.get(BESIDE) {
        Some(replica) => Some((number(replica)?, Some(labels.get(SERVICE)?.clone()))),
        None => Some((number(labels.get(REPLICA)?)?, None)),
    }
}

/// `r13-2`
fn number(replica: &str) -> Option<u32> {
    replica.rsplit_once('-')?.1.parse().ok()
}
