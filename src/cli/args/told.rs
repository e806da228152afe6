use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::render::percent;
use super::{File, Which};
use crate::spec::Percent;

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Its number, as in `agentctl history` [default: the last one]
    pub(crate) rollout: Option<u64>,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write the page into this file [default: AGENT-ROLLOUT.html]
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// A reply a line, as JSON or CSV: time, arm, error, latency, cost, conversation, weight; with
    /// --judge the pairs that a shadow kept
    #[arg(value_name = "FILE")]
    pub(crate) recorded: PathBuf,
    /// Have this judge of agent.toml score what both releases answered
    #[arg(long, value_name = "NAME", conflicts_with_all = ["aa", "weight"])]
    pub(crate) judge: Option<String>,
    /// With --judge: so many pairs at most, drawn from all over the file
    #[arg(long, default_value_t = 50, value_name = "COUNT", requires = "judge")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) pairs: u32,
    #[command(flatten)]
    pub(crate) file: File,
    /// Say of the stable release's own traffic which of it is the candidate's, again and again
    #[arg(long)]
    pub(crate) aa: bool,
    /// The probability that a harmless release is not stopped
    #[arg(long, default_value_t = 0.99, value_name = "SHARE", value_parser = confidence)]
    pub(crate) confidence: f64,
    /// How much worse is no harm: 0.1 is a tenth
    #[arg(long, default_value_t = 0.0, value_name = "PART", value_parser = margin)]
    pub(crate) worse_by: f64,
    /// The candidate's share of what begins, in per cent, where the file does not say its weight
    /// [default: as in the file; with --aa 50]
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    pub(crate) weight: Option<Percent>,
    /// With --aa: how often
    #[arg(long, default_value_t = 1000, value_name = "COUNT", requires = "aa")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) runs: u32,
    /// With --aa: the same seed gives the same answer
    #[arg(long, default_value_t = 1, value_name = "NUMBER", requires = "aa")]
    pub(crate) seed: u64,
}

/// The old release, or the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arm {
    A,
    B,
}

#[derive(Debug, Args)]
pub(crate) struct Promote {
    /// The arm that stays
    #[arg(value_enum)]
    pub(crate) arm: Arm,
    #[command(flatten)]
    pub(crate) which: Which,
}

fn confidence(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|share| *share > 0.5 && *share < 1.0);
    number.ok_or_else(|| format!("{text} is not between 0.5 and 1"))
}

/// Both releases have some.
fn share(text: &str) -> Result<Percent, String> {
    let share = percent(text)?;
    match share.is_split() {
        true => Ok(share),
        false => Err(format!(
            "{text} leaves one release without traffic: more than 0, less than 100"
        )),
    }
}

fn margin(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|part| (0.0..=4.0).contains(part));
    number.ok_or_else(|| format!("{text} is not from 0 to 4"))
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
