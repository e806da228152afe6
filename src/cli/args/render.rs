//! What `agentctl render` is told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::release::ReleaseId;
use crate::spec::{Percent, Says};

#[derive(Debug, Default, Args)]
pub(crate) struct Render {
    /// What to render
    #[arg(value_enum, required_unless_present = "eject")]
    pub(crate) what: Option<What>,
    /// The agents' files; more than one may be named [default: agent.toml]
    #[arg(short, long, value_name = "FILE", num_args = 1..)]
    pub(crate) file: Vec<PathBuf>,
    /// An environment of them
    #[arg(short, long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Write files into this folder, instead of their text to stdout
    #[arg(short = 'o', long = "out", value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Whose pipeline
    #[arg(
        long = "for",
        value_enum,
        value_name = "SYSTEM",
        required_if_eq("what", "ci")
    )]
    pub(crate) system: Option<System>,
    /// A Dockerfile for engines without BuildKit
    #[arg(long)]
    pub(crate) plain: bool,
    /// Overwrite files there that agentctl did not write
    #[arg(long)]
    pub(crate) force: bool,
    /// The image that runs [default: from agent.toml]
    #[arg(long, value_name = "IMAGE", value_parser = crate::spec::image_name)]
    pub(crate) image: Option<String>,
    /// Name what belongs to one release by it, like r13
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<ReleaseId>,
    /// How the objects of a cluster lie in files
    #[arg(long, value_enum, default_value_t = Layout::Flat, value_name = "LAYOUT")]
    pub(crate) layout: Layout,
    /// For a controller of the cluster that walks rollouts instead of agentctl
    #[arg(
        long = "as",
        value_enum,
        value_name = "CONTROLLER",
        conflicts_with = "release"
    )]
    pub(crate) controller: Option<Walker>,
    #[command(flatten)]
    pub(crate) moment: Moment,
    /// Copy a template into templates/ beside agent.toml, where it is used instead of the built-in one
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["what", "out", "image", "release"])]
    pub(crate) eject: Option<String>,
}

/// One moment of a rollout: who gets which requests.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Moment {
    /// The release that takes over, like r14
    #[arg(long, value_name = "RELEASE", requires = "release")]
    pub(crate) candidate: Option<ReleaseId>,
    /// Its share of the requests, in per cent [default: 0]
    #[arg(long, value_name = "PERCENT", requires = "candidate", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) weight: Option<Percent>,
    /// The share of requests that it gets a copy of, in per cent
    #[arg(long, value_name = "PERCENT", requires = "candidate", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) mirror: Option<Percent>,
    /// Requests that go to it in any case: header:NAME=VALUE, cookie:NAME=VALUE or
    /// query:NAME=VALUE
    #[arg(long = "match", value_name = "MATCH", requires = "candidate")]
    pub(crate) matches: Vec<Says>,
}

pub(super) fn percent(text: &str) -> Result<Percent, String> {
    let number = text.parse().ok().and_then(Percent::new);
    number.ok_or_else(|| format!("{text} is not a percentage from 0 to 100"))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// One file for each object
    #[default]
    Flat,
    /// A base with an overlay for each environment
    Kustomize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Walker {
    /// A Rollout instead of the Deployment
    ArgoRollouts,
    /// A Canary beside the Deployment
    Flagger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// The agent and what it needs beside it, as one compose.yaml
    Compose,
    /// The pipeline that tests, builds and deploys it
    Ci,
    /// How its image is built
    Dockerfile,
    /// The objects of a cluster, one file each
    Kubernetes,
    /// The Role that whoever deploys to a cluster needs, with an account that has it
    Rbac,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    Github,
    Gitlab,
}
