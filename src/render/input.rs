//! All that rendering knows.

use std::collections::{BTreeMap, BTreeSet};

use crate::release::{Identity, ReleaseId};
use crate::spec::{Percent, Says, Spec, TargetSpec};

/// All that rendering knows: the same input makes the same bytes.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) spec: Spec,
    pub(crate) target: TargetSpec,
    /// The environment's name, where one was asked for.
    pub(crate) environment: Option<String>,
    /// The image that runs, as `repository:tag` or `repository@sha256:…`.
    pub(crate) image: String,
    /// What lies in the folder that is built from.
    pub(crate) folder: BuildFolder,
    /// The texts of `config.prompts`, by their path below that folder.
    pub(crate) prompts: BTreeMap<String, String>,
    /// `None`: names carry no release, for whoever applies the files by other means.
    pub(crate) release: Option<ReleaseId>,
    /// What tells the values of its secrets from others; `None`: all releases share a Secret.
    pub(crate) secret_values: Option<Identity>,
    /// The other release while a rollout runs.
    pub(crate) traffic: Traffic,
    pub(crate) stack: Stack,
}

/// What a whole stack in one file needs to know beyond its agent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stack {
    /// The environments of agent.toml by name, where none was asked for.
    pub(crate) environments: BTreeMap<String, Spec>,
    /// The way from the rendered files to the folder of agent.toml, and back.
    pub(crate) home: String,
    pub(crate) back: String,
    /// The image was named by hand: nothing is built.
    pub(crate) is_ready: bool,
}

/// Which release gets which requests at one moment of a rollout.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Traffic {
    /// The release that takes over, and the share of requests that it gets already.
    pub(crate) candidate: Option<(ReleaseId, Percent)>,
    /// The share of requests that the candidate gets a copy of.
    pub(crate) mirror: Option<Percent>,
    /// Requests with one of these go to the candidate.
    pub(crate) matches: Vec<Says>,
    /// Who sets the weights; `None`: agentctl.
    pub(crate) by: Option<Controller>,
}

/// A controller in the cluster that walks rollouts instead of agentctl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    ArgoRollouts,
    Flagger,
}

/// What the names and manifests in the folder tell about how to build it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildFolder {
    /// Names of the files and folders in it.
    pub(crate) entries: BTreeSet<String>,
    /// What Cargo.toml tells.
    pub(crate) rust: Option<RustPackage>,
    /// `module` in go.mod.
    pub(crate) go_module: Option<String>,
    /// package.json has a script `build`.
    pub(crate) node_build: bool,
    /// Those entries that requirements.txt or package.json install from; `.` is all of them.
    pub(crate) local: BTreeSet<String>,
}

/// The package in Cargo.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RustPackage {
    /// The program that it makes.
    pub(crate) binary: String,
    /// It says nothing of where its sources are, so they are where Cargo looks.
    pub(crate) plain: bool,
}

impl BuildFolder {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains(name)
    }

    /// What has to be there for an install beside these files.
    pub(crate) fn local(&self, beside: &[&str]) -> Vec<&str> {
        let local = self.local.iter().map(String::as_str);
        local.filter(|name| !beside.contains(name)).collect()
    }
}
