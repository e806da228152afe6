//! What stands beside the agent and ends: because the agent does, or because agent.toml does not name
//! it any more.

use anyhow::Result;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::StopContainerOptionsBuilder;
use futures_util::future::try_join_all;

use super::Host;
use super::objects::is_so_already;
use crate::render::beside;
use crate::spec::Spec;

/// Seconds that one may take to write down what it has in memory.
const GRACE: i32 = 30;

impl Host {
    /// Ends what agent.toml does not name any more; its volume stays.
    pub(crate) async fn leave(&self, spec: &Spec, say: &mut dyn FnMut(String)) -> Result<()> {
        for (name, id) in self.not_needed(spec).await? {
            self.end(&id).await?;
            self.remove(&id).await?;
            say(not_needed(&name));
        }
        Ok(())
    }

    /// Everything beside the agent ends, and stays as it is.
    pub(crate) async fn stop_beside(&self, say: &mut dyn FnMut(String)) -> Result<()> {
        let all = self.containers_beside(str::to_owned).await?;
        let (mut running, mut ids) = (Vec::new(), Vec::new());
        for (name, one) in all {
            running.extend(is_running(&one).then_some(name));
            ids.extend(one.id);
        }
        if !running.is_empty() {
            running.sort();
            say(stopping(&running));
        }
        try_join_all(ids.iter().map(|id| self.end(id))).await?;
        Ok(())
    }

    /// Those of them that nothing is left of but a volume.
    pub(crate) async fn gone_beside(&self, names: &[String]) -> Result<Vec<String>> {
        let there = self.all_beside().await?;
        let is_gone = |name: &&String| !there.iter().any(|(other, _)| other == *name);
        Ok(names.iter().filter(is_gone).cloned().collect())
    }

    pub(super) async fn not_needed(&self, spec: &Spec) -> Result<Vec<(String, String)>> {
        let needed = beside(spec);
        let mut all = self.all_beside().await?;
        all.retain(|(name, _)| !needed.iter().any(|one| one.name == name));
        Ok(all)
    }

    /// Told to stop, with time to write down what it has.
    pub(super) async fn end(&self, container: &str) -> Result<()> {
        let options = StopContainerOptionsBuilder::new().t(GRACE).build();
        let stopped = self.engine.docker.stop_container(container, Some(options));
        match stopped.await {
            Err(error) if !is_so_already(&error) => Err(self.engine.failure(error)),
            _ => Ok(()),
        }
    }
}

fn is_running(one: &ContainerSummary) -> bool {
    one.state == Some(ContainerSummaryStateEnum::RUNNING)
}

/// One whose program does not heed that takes all of its time.
fn stopping(names: &[String]) -> String {
    format!("stopping {} ({GRACE} s at most)", names.join(", "))
}

pub(super) fn not_needed(name: &str) -> String {
    format!("{name} is removed: agent.toml does not name it any more; its volume stays")
}
