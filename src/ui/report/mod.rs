//! `agentctl report`: one rollout, told from its journal, as figures for programs and as a page.
//!
//! Pure. The page is one file that fetches nothing; both say the same.

mod chart;
mod fold;
mod gates;
mod page;
mod pictures;
#[cfg(test)]
mod tests;
mod windows;

use serde::Serialize;

use self::fold::Fold;
use self::gates::GateFigures;
use self::windows::{ReleaseFigures, WindowFigures};
use super::history::PastView;
use super::words;
use crate::rollout::{Event, Past, Stamp};
use crate::spec::Percent;

/// All that is known of one rollout.
pub(crate) struct Known {
    pub(crate) agent: String,
    pub(crate) environment: Option<String>,
    pub(crate) rollout: u64,
    pub(crate) events: Vec<(Stamp, Event)>,
    /// What the new release's replicas wrote last, where it failed.
    pub(crate) logs: Vec<ReplicaLog>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ReplicaLog {
    /// `r3-1`.
    pub(crate) replica: String,
    pub(crate) lines: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    agent: String,
    environment: Option<String>,
    #[serde(flatten)]
    past: PastView,
    took_ms: Option<u64>,
    steps: Vec<StepFigures>,
    /// The new release's share, whenever it changed.
    traffic: Vec<Share>,
    gates: Vec<GateFigures>,
    /// Over all steps.
    releases: Vec<ReleaseFigures>,
    /// By the stretches of time in which shares were as they were.
    windows: Vec<WindowFigures>,
    events: Vec<Told>,
    logs: Vec<ReplicaLog>,
}

/// One row of the plan's table, and how it went.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct StepFigures {
    step: usize,
    /// Replicas.
    stable: u32,
    candidate: u32,
    weight: Percent,
    /// What had to open before it was left, in words.
    then: String,
    /// When it was headed for; `None`: it never was.
    #[serde(serialize_with = "words::maybe_stamp")]
    began: Option<Stamp>,
    took_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Share {
    #[serde(serialize_with = "words::stamp")]
    at: Stamp,
    weight: Percent,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Told {
    #[serde(serialize_with = "words::stamp")]
    at: Stamp,
    about: String,
    says: String,
}

impl Report {
    /// # Errors
    /// When the events are no rollout.
    pub(crate) fn of(known: Known) -> anyhow::Result<Self> {
        let fold = Fold::of(&known.events)?;
        let rollout = &fold.rollout;
        let past = PastView::of(&Past::of(known.rollout, rollout), rollout.plan());
        let end = rollout.finished();
        Ok(Self {
            agent: known.agent,
            environment: known.environment,
            took_ms: end.map(|end| end.0.saturating_sub(rollout.started().0)),
            steps: fold.steps(),
            gates: gates::figures(rollout.plan(), &fold.measured),
            releases: windows::releases(rollout, &fold.measured),
            windows: windows::figures(rollout.plan(), &fold.measured),
            traffic: fold.traffic,
            events: fold.told,
            logs: known.logs,
            past,
        })
    }

    /// From the first event to the last.
    fn span(&self) -> (Stamp, Stamp) {
        let begin = self.past.started;
        let last = self.events.last().map_or(begin, |told| told.at);
        (begin, self.past.finished.unwrap_or(last).max(last))
    }
}
