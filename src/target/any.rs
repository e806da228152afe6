//! Whatever kind of target an environment has.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::Result;

use super::secrets::Values;
use super::{
    Docker, Kubernetes, Log, Place, Process, Reply, Seen, SeenBeside, Spent, Target, Traffic,
};
use crate::advice::advice;
use crate::release::{Release, ReleaseId};
use crate::render::Right;
use crate::spec::{ProbeRequest, Spec};

pub(crate) enum Any {
    Process(Process),
    Docker(Docker),
    Kubernetes(Kubernetes),
}

macro_rules! each {
    ($any:expr, $target:ident => $does:expr) => {
        match $any {
            Any::Process($target) => $does,
            Any::Docker($target) => $does,
            Any::Kubernetes($target) => $does,
        }
    };
}

impl Any {
    /// Opens the address that users reach the agent at; `None`: nobody calls it.
    pub(crate) async fn listen(&self, address: Option<SocketAddr>) -> Result<()> {
        match self {
            Self::Process(target) => target.listen(address).await,
            Self::Docker(target) => target.listen(address).await,
            // Its own objects open it.
            Self::Kubernetes(_) => Ok(()),
        }
    }

    /// As Prometheus reads it; `None` if nothing runs.
    pub(crate) async fn metrics(&self) -> Result<Option<String>> {
        match self {
            Self::Process(target) => target.metrics().await,
            Self::Docker(target) => target.metrics().await,
            Self::Kubernetes(_) => Err(advice(
                "no edge stands before replicas in a cluster, and so nothing measures them here",
                "observe.metrics lets the cluster's Prometheus read the agent's own figures",
            )),
        }
    }

    /// Services and tools that agentctl keeps on the agent's host.
    pub(crate) async fn beside(&self) -> Result<Vec<SeenBeside>> {
        match self {
            Self::Docker(target) => target.stage.beside().await,
            // Whoever runs them there watches them.
            Self::Process(_) | Self::Kubernetes(_) => Ok(Vec::new()),
        }
    }

    /// Ends the agent, and waits for that; `now` does not wait for open conversations and requests.
    pub(crate) async fn stop(&self, now: bool) -> Result<()> {
        each!(self, target => target.stop(now).await)
    }

    /// Services and tools that agentctl keeps on the agent's host end; before they are waited for, it
    /// is said.
    pub(crate) async fn stop_beside(&self, say: &mut dyn FnMut(String)) -> Result<()> {
        match self {
            Self::Process(_) | Self::Kubernetes(_) => Ok(()),
            Self::Docker(target) => target.stage.stop_beside(say).await,
        }
    }

    /// Ends the agent as `stop` does, unless its removal ends it as well.
    ///
    /// # Errors
    /// Where it could not be removed: before anything ends.
    pub(crate) async fn stop_to_remove(&self, now: bool) -> Result<()> {
        if let Self::Docker(target) = self {
            target.stage.has_no_guests().await?;
        }
        match self {
            Self::Docker(_) if now => Ok(()),
            _ => self.stop(now).await,
        }
    }

    /// Whether agentctl made anything there that is not removed yet.
    pub(crate) async fn is_there(&self) -> Result<bool> {
        match self {
            Self::Process(target) => Ok(target.stage.is_there()),
            Self::Docker(target) => target.stage.is_there().await,
            Self::Kubernetes(target) => target.is_there().await,
        }
    }

    /// Everything that agentctl made there, history and data too, and nothing else; images stay.
    pub(crate) async fn remove_everything(&self) -> Result<()> {
        match self {
            Self::Process(target) => target.stage.remove_everything().await,
            Self::Docker(target) => target.stage.remove_everything().await,
            Self::Kubernetes(target) => target.remove_everything().await,
        }
    }

    /// # Errors
    /// What is known before anything is changed: why nothing can be deployed there. The answer is what
    /// could not be looked at, in words.
    pub(crate) async fn fits(
        &self,
        spec: &Spec,
        address: Option<SocketAddr>,
        needed: &[Right],
    ) -> Result<Vec<String>> {
        match self {
            Self::Process(_) => Ok(Vec::new()),
            Self::Docker(target) => {
                target.stage.fits(spec, address).await?;
                Ok(Vec::new())
            }
            Self::Kubernetes(target) => target.cluster.fits(spec, needed).await,
        }
    }

    /// # Errors
    /// Where so many replicas at once have no room.
    pub(crate) async fn has_room(&self, spec: &Spec, replicas: u32) -> Result<()> {
        match self {
            Self::Process(_) | Self::Kubernetes(_) => Ok(()),
            Self::Docker(target) => target.stage.has_room(spec, replicas).await,
        }
    }

    /// # Errors
    /// Where somebody else has set who gets requests.
    pub(crate) async fn may_route(&self, release: &Release) -> Result<()> {
        match self {
            Self::Process(_) | Self::Docker(_) => Ok(()),
            Self::Kubernetes(target) => target.may_route(release).await,
        }
    }

    /// What a deploy would do with services and tools, in words.
    pub(crate) async fn due_beside(&self, spec: &Spec) -> Result<Vec<String>> {
        match self {
            Self::Process(_) | Self::Kubernetes(_) => Ok(Vec::new()),
            Self::Docker(target) => target.stage.due_beside(spec).await,
        }
    }

    /// What applying the release's objects would change, in lines.
    pub(crate) async fn differences(&self, release: &Release) -> Result<Vec<String>> {
        match self {
            Self::Process(_) | Self::Docker(_) => Ok(Vec::new()),
            Self::Kubernetes(target) => target.differences(release).await,
        }
    }

    /// What a deploy of this release brings up to date where it runs already, in lines.
    pub(crate) async fn due(&self, release: &Release) -> Result<Vec<String>> {
        match self {
            Self::Process(_) | Self::Docker(_) => Ok(Vec::new()),
            Self::Kubernetes(target) => target.due(release).await,
        }
    }

    /// Services and tools run, and are well.
    pub(crate) async fn stand_by(
        &self,
        spec: &Spec,
        values: &Values,
        say: &mut dyn FnMut(String),
    ) -> Result<()> {
        match self {
            Self::Process(_) => Ok(()),
            Self::Docker(target) => target.stage.stand_by(spec, values, say).await,
            Self::Kubernetes(target) => target.cluster.stand_by(spec, say).await,
        }
    }

    /// Services and tools that ended with the agent, or with their engine, run again.
    pub(crate) async fn wake_beside(&self) -> Result<()> {
        match self {
            Self::Process(_) | Self::Kubernetes(_) => Ok(()),
            Self::Docker(target) => target.stage.wake_beside().await,
        }
    }

    /// Those of these services and tools that were removed since.
    pub(crate) async fn gone_beside(&self, names: &[String]) -> Result<Vec<String>> {
        match self {
            // Whoever runs them there removes them.
            Self::Process(_) | Self::Kubernetes(_) => Ok(Vec::new()),
            Self::Docker(target) => target.stage.gone_beside(names).await,
        }
    }

    /// Services and tools that agent.toml does not name any more end.
    pub(crate) async fn leave(&self, spec: &Spec, say: &mut dyn FnMut(String)) -> Result<()> {
        match self {
            Self::Process(_) | Self::Kubernetes(_) => Ok(()),
            Self::Docker(target) => target.stage.leave(spec, say).await,
        }
    }

    /// The values that the last deploy left there.
    pub(crate) async fn kept_secrets(&self) -> Result<Values> {
        match self {
            Self::Process(target) => target.stage.kept_secrets().await,
            Self::Docker(target) => target.stage.kept_secrets().await,
            Self::Kubernetes(target) => target.cluster.kept_secrets().await,
        }
    }

    /// Those too that releases before were started with; a name may have several.
    pub(crate) async fn all_values(&self) -> Result<Vec<(String, String)>> {
        match self {
            Self::Kubernetes(target) => target.cluster.all_values().await,
            Self::Process(_) | Self::Docker(_) => {
                Ok(self.kept_secrets().await?.into_iter().collect())
            }
        }
    }

    /// Keeps these, and the older ones of other names that an earlier release may need; the answer
    /// is whether a value that was kept has changed.
    pub(crate) async fn keep_secrets(&self, values: &Values) -> Result<bool> {
        match self {
            Self::Process(target) => target.stage.keep_secrets(values).await,
            Self::Docker(target) => target.stage.keep_secrets(values).await,
            // Another value is another release, which is rolled out.
            Self::Kubernetes(target) => target.cluster.keep_secrets(values).await.map(|()| false),
        }
    }

    /// What the release is started from is there afterwards, so that no start is a download.
    pub(crate) async fn fetch(&self, release: &Release) -> Result<()> {
        match self {
            Self::Process(_) => Ok(()),
            Self::Docker(target) => target.stage.fetch(release).await,
            Self::Kubernetes(target) => target.fetch(release).await,
        }
    }

    /// When a rollout is over, whatever came of it: the cluster's own scalers go on.
    pub(crate) async fn settle(&self) -> Result<()> {
        match self {
            Self::Process(_) | Self::Docker(_) => Ok(()),
            Self::Kubernetes(target) => target.settle().await,
        }
    }

    /// What only other releases run from goes.
    pub(crate) async fn keep_only(&self, releases: &[&Release]) -> Result<()> {
        match self {
            Self::Process(target) => target.stage.keep_only(releases),
            Self::Docker(target) => {
                let releases: BTreeSet<ReleaseId> =
                    releases.iter().map(|release| release.id).collect();
                target.stage.keep_only(&releases).await
            }
            Self::Kubernetes(target) => target.keep_only(releases).await,
        }
    }
}

impl Target for Any {
    async fn observe(&self) -> Result<Seen> {
        each!(self, target => target.observe().await)
    }

    async fn next(&self) -> Result<Seen> {
        each!(self, target => target.next().await)
    }

    async fn scale(&self, release: &Release, replicas: u32) -> Result<()> {
        each!(self, target => target.scale(release, replicas).await)
    }

    async fn route(&self, traffic: &Traffic) -> Result<()> {
        each!(self, target => target.route(traffic).await)
    }

    async fn request(
        &self,
        release: ReleaseId,
        request: &ProbeRequest,
        within: u64,
        replica: Option<u32>,
    ) -> Result<Reply> {
        each!(self, target => target.request(release, request, within, replica).await)
    }

    async fn spent(&self, from: Place) -> Result<Spent> {
        each!(self, target => target.spent(from).await)
    }

    async fn logs(&self, release: ReleaseId, lines: usize) -> Result<Vec<Log>> {
        each!(self, target => target.logs(release, lines).await)
    }
}
