mod render;
mod told;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use render::{Layout, Render, System, Walker, What};
pub(crate) use told::{Analyze, Arm, Logs, Promote, Report};

use crate::spec::Period;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, and undone
  2  not done: wrong input, or what it takes is not to be had; no rollout was changed
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
    Plan(Plan),
    /// Show who serves what, since when and how well
    Status(Which),
    /// Go back to the last release that was good, or to a named one
    Rollback(Rollback),
    /// Show every rollout and how it ended
    History(Which),
    /// Tell one rollout, with its gates' evidence, as a page that needs no network
    Report(Report),
    /// Judge recorded traffic as a rollout would judge it
    Analyze(Analyze),
    /// Show the last lines that replicas wrote
    Logs(Logs),
    /// Print the measured figures of every release, as Prometheus reads them
    Metrics(Which),
    /// Send the probes of agent.toml to a release that runs, and say what came back
    Probe(super::probe::Asked),
    /// Say yes to the rollout that waits for it
    Approve(Which),
    /// End an A/B test: a keeps the old release, b takes the new one
    Promote(Promote),
    /// Stop the running rollout and undo it
    Abort(Which),
    /// Go on with a rollout whose process died, or that stalled
    Resume(Resume),
    /// Add replicas while work waits, and take them away when less does, as [scale] says
    Autoscale(Autoscale),
    /// Keep the gates on after a rollout, and roll back by itself what fails them
    Watch(File),
    /// Drain and stop everything that agentctl runs for an agent here
    Stop(Stop),
    /// Remove everything that agentctl made for an agent; asks first
    Destroy(Destroy),
    /// Look at everything that a deploy needs, and say what is missing
    Doctor(File),
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
        #[arg(long, default_value = "/var/run/docker.sock")]
        engine: PathBuf,
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
    /// Let a pod in the agent's cluster walk the rollout, so that it goes on when this command ends
    #[arg(long)]
    pub(crate) in_cluster: bool,
    /// Walk exactly the plan that `plan --save` wrote; refused if the world has moved since
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) file: File,
    /// Write the plan into a file, for `deploy --plan`
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) which: Which,
    /// As a pod of `deploy --in-cluster`: any outcome is a good end, and one that is told to go
    /// leaves the rollout to the next
    #[arg(long, hide = true)]
    pub(crate) as_job: bool,
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
    /// Do not wait for open conversations and requests; services on a Docker host still have 30 s to end
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
