//! A plan in a file: shown to someone today, walked tomorrow, refused if the world is another one by
//! then.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::proposal::Proposal;
use super::site::Site;
use crate::advice::{Advise, advice, because};
use crate::release::{Artifact, Identity, ReleaseId};
use crate::rollout::Plan;
use crate::spec::Percent;
use crate::target::Seen;

const FORMAT: u32 = 1;

/// What is walked, and what that was decided by.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    v: u32,
    agent: String,
    environment: Option<String>,
    /// The number that its rollout would have.
    rollout: u64,
    release: ReleaseId,
    identity: Identity,
    /// Replicas by release, and the shares of those that have one.
    replicas: BTreeMap<ReleaseId, u32>,
    shares: BTreeMap<ReleaseId, Percent>,
    /// `None`: it ran already.
    plan: Option<Plan>,
}

impl Saved {
    pub(crate) fn of(site: &Site, rollout: u64, proposal: &Proposal, seen: &Seen) -> Self {
        let wanted = seen.releases.iter().map(|(id, live)| (*id, live.wanted));
        let plan = proposal.plan.clone().map(|plan| Plan {
            by: String::new(),
            ..plan
        });
        Self {
            v: FORMAT,
            agent: site.agent.clone(),
            environment: site.environment.clone(),
            rollout,
            release: proposal.release.id,
            identity: proposal.release.identity.clone(),
            replicas: wanted.filter(|(_, wanted)| *wanted > 0).collect(),
            shares: seen.shares.clone(),
            plan,
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let hint = format!("save one: agentctl plan --save {shown}");
        let read = || Ok::<_, anyhow::Error>(serde_json::from_slice(&fs::read(path)?)?);
        let saved: Self = read().advise(format!("could not read the plan in {shown}"), hint)?;
        match saved.v {
            FORMAT => Ok(saved),
            newer => Err(advice(
                format!("{shown} is a plan of format {newer}, and this agentctl reads {FORMAT}"),
                "use the agentctl that saved it, or save the plan anew",
            )),
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").advise(
            format!("could not write the plan to {}", path.display()),
            "name a file in a folder that is there",
        )
    }

    /// # Errors
    /// What is another one than when the plan was saved.
    pub(crate) fn holds(&self, now: &Self) -> Result<()> {
        match self.moved(now) {
            None => Ok(()),
            Some(moved) => Err(because(
                "the plan was made for another world than there is now",
                moved,
                "look at it anew: agentctl plan --save FILE",
            )),
        }
    }

    fn moved(&self, now: &Self) -> Option<String> {
        let whose = |saved: &Self| match &saved.environment {
            Some(environment) => format!("{} ({environment})", saved.agent),
            None => saved.agent.clone(),
        };
        if whose(self) != whose(now) {
            return Some(format!("it is for {}, not {}", whose(self), whose(now)));
        }
        if self.identity != now.identity {
            return Some("agent.toml, or what it names, has changed since".to_owned());
        }
        if self.rollout != now.rollout {
            let since = now.rollout.saturating_sub(1);
            return Some(format!("rollout {since} was walked since"));
        }
        if (&self.replicas, &self.shares) != (&now.replicas, &now.shares) {
            return Some("other replicas run, or with other shares of the traffic".to_owned());
        }
        (self != now).then(|| "how it is rolled out has changed since".to_owned())
    }
}

/// # Errors
/// Where the image is not built yet: only then it is known what exactly will run.
pub(crate) fn is_certain(proposal: &Proposal) -> Result<()> {
    match &proposal.release.contents.artifact {
        Artifact::Image(image) if !image.name.contains("sha256:") => Err(advice(
            format!(
                "{} is not built yet, so the plan does not say what exactly will run",
                image.name
            ),
            "build it first: agentctl build, or agentctl push where there is a registry",
        )),
        _ => Ok(()),
    }
}
