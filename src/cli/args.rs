use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::release::ReleaseId;
use crate::render::Match;
use crate::spec::{Percent, Period};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, and undone
  2  wrong input; nothing was changed
  3  stalled or left standing: a person is needed
  4  someone else holds the lease";

/// Deploys AI agents: step by step, gated by health and measured behaviour, with an undo that
/// always works.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, max_term_width = 100, propagate_version = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) show: Show,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// How things are shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct Show {
    /// Text for people, or a JSON object per line for programs
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, value_name = "FORM")]
    pub(crate) output: Output,
    /// When to use colours; NO_COLOR counts too
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More of what happens
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Which agent.toml, and which environment of it.
#[derive(Clone, Debug, Args)]
pub(crate) struct File {
    /// The agent's file [default: agent.toml]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// An environment of it
    #[arg(short, long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
}

/// Which agent: by its file, or by its name where there is none.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    #[command(flatten)]
    pub(crate) file: File,
    /// An agent that was deployed before; not needed beside its file, or if it is the only one
    #[arg(short, long, value_name = "NAME", conflicts_with = "file")]
    pub(crate) agent: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Roll out what agent.toml describes; does nothing if it already runs
    Deploy(Deploy),
    /// Show the table of steps that a deploy would walk
    Plan(File),
    /// Show who serves what, since when and how well
    Status(Which),
    /// Go back to the last release that was good, or to a named one
    Rollback(Rollback),
    /// Show every rollout and how it ended
    History(Which),
    /// Show the last lines that replicas wrote
    Logs(Logs),
    /// Print the measured figures of every release, as Prometheus reads them
    Metrics(Which),
    /// Send the probes of agent.toml to a release that runs, and say what came back
    Probe(super::probe::Asked),
    /// Say yes to the rollout that waits for it
    Approve(Which),
    /// Stop the running rollout and undo it
    Abort(Which),
    /// Go on with a rollout whose process died, or that stalled
    Resume(Which),
    /// Add replicas while work waits, and take them away when less does, as [scale] says
    Autoscale(Autoscale),
    /// Drain and stop everything that agentctl runs for an agent here
    Stop(Stop),
    /// Remove everything that agentctl made for an agent; asks first
    Destroy(Destroy),
    /// Check agent.toml without doing anything
    Check(File),
    /// Write the files that build and run the agent elsewhere, from templates
    Render(Render),
    /// Build the agent's image, unless it is there already
    Build(Build),
    /// Build it where it has to be built, push it, and print its digest
    Push(Push),
    /// Look at the images of an agent, and clean up after old ones
    #[command(subcommand)]
    Images(Images),
    /// Write a short agent.toml by looking at this folder
    Init(Init),
    /// Print the JSON Schema of agent.toml, for editors
    Schema,
    /// Look at the configuration
    #[command(subcommand)]
    Config(Config),
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Write manual pages into a folder
    Man { folder: PathBuf },
    /// The process that replicas run under; started by the other commands
    #[command(hide = true)]
    Edge {
        #[arg(long)]
        state: PathBuf,
        #[arg(long)]
        containers: Option<String>,
        #[arg(long)]
        succeed: bool,
    },
    /// What the other commands speak with on a Docker host
    #[command(hide = true)]
    Attend {
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) file: File,
    /// Deploy even what was undone shortly before
    #[arg(long)]
    pub(crate) again: bool,
    /// In a cluster, make fields agentctl's that somebody else set
    #[arg(long)]
    pub(crate) take_over: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(crate) which: Which,
    /// The release to go back to, like r12 [default: the last one that was good]
    #[arg(long, value_name = "RELEASE")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Of this release [default: every release that runs]
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
    /// Lines of each replica
    #[arg(short = 'n', long, default_value_t = 20, value_name = "COUNT")]
    pub(crate) lines: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Autoscale {
    #[command(flatten)]
    pub(crate) file: File,
    /// Look again and again, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// How often [default: scale.every]
    #[arg(long, value_name = "PERIOD", requires = "watch", value_parser = Period::parse)]
    pub(crate) every: Option<Period>,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Do not wait for open conversations and requests
    #[arg(long)]
    pub(crate) now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Do not wait for open conversations and requests
    #[arg(long)]
    pub(crate) now: bool,
}

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
    #[arg(long, value_name = "PERCENT", requires = "candidate", value_parser = percent)]
    pub(crate) weight: Option<Percent>,
    /// The share of requests that it gets a copy of, in per cent
    #[arg(long, value_name = "PERCENT", requires = "candidate", value_parser = percent)]
    pub(crate) mirror: Option<Percent>,
    /// Requests that go to it in any case: header:NAME=VALUE or cookie:NAME=VALUE
    #[arg(long = "match", value_name = "MATCH", requires = "candidate")]
    pub(crate) matches: Vec<Match>,
}

fn percent(text: &str) -> Result<Percent, String> {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The agent and what it needs beside it, as one compose.yaml
    Compose,
    /// The pipeline that tests, builds and deploys it
    Ci,
    /// How its image is built
    Dockerfile,
    /// The objects of a cluster, one file each
    Kubernetes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    Github,
    Gitlab,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) file: File,
    /// Note the digests of the images that it is built on in agent.lock, and build on exactly those
    #[arg(long)]
    pub(crate) pin: bool,
    #[command(flatten)]
    pub(crate) sbom: Sbom,
    #[command(flatten)]
    pub(crate) platform: Platform,
}

#[derive(Debug, Args)]
pub(crate) struct Push {
    #[command(flatten)]
    pub(crate) file: File,
    #[command(flatten)]
    pub(crate) sbom: Sbom,
    #[command(flatten)]
    pub(crate) platform: Platform,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Sbom {
    /// Write the list of the packages in the image into this file, as CycloneDX
    #[arg(long = "sbom", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Platform {
    /// One of build.platforms, where there are more
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Images {
    /// Show the images that agentctl pushed for an agent
    List(File),
    /// Delete images of old releases from the registry; never one that is in use
    Prune(Prune),
    /// Look through what would be sent to the engine for secrets
    Scan(File),
}

#[derive(Debug, Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    pub(crate) file: File,
    /// Only show what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Keep this one too: a tag or a digest that something runs which agentctl knows nothing of
    #[arg(long, value_name = "IMAGE")]
    pub(crate) keep: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to look at
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Overwrite an agent.toml that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print the merged configuration with the origin of each value
    Show(File),
}
