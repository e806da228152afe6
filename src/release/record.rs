use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Identity, ReleaseId};
use crate::spec::{Config, Drain, Health, SecretSource, Spec, Template};

/// What is started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Artifact {
    /// A copy of the agent's files, kept under the hash of what is in it.
    Files(Identity),
}

/// All that decides how a release behaves, and so all that its identity is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(crate) artifact: Artifact,
    /// With `${VAR}` already put in; secrets and `${PORT}` are put in where it is started.
    pub(crate) command: Vec<Template>,
    pub(crate) env: BTreeMap<String, Template>,
    pub(crate) config: Config,
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    pub(crate) health: Health,
    pub(crate) drain: Drain,
}

impl Contents {
    pub(crate) fn of(spec: &Spec, artifact: Artifact) -> Self {
        Self {
            artifact,
            command: spec.run.command.clone(),
            env: spec.run.env.clone(),
            config: spec.config.clone(),
            secrets: spec.secrets.clone(),
            health: spec.health.clone(),
            drain: spec.drain.clone(),
        }
    }

    pub(crate) fn identity(&self) -> serde_json::Result<Identity> {
        serde_json::to_vec(self).map(|json| Identity::of(&json))
    }
}

/// A release as it is kept: its contents, its number and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: ReleaseId,
    pub(crate) identity: Identity,
    /// Milliseconds since the Unix epoch.
    pub(crate) made: u64,
    /// Who made it: `anna@laptop`.
    pub(crate) by: String,
    #[serde(flatten)]
    pub(crate) contents: Contents,
}
