//! `agentctl history`: every rollout, the newest first as handed in.

use serde::Serialize;

use super::console::View;
use super::line::{Line, Tone};
use super::say;
use super::table::{Align, table};
use super::words::{self, Clock};
use crate::release::ReleaseId;
use crate::rollout::{Outcome, Past, Reason, Stamp};
use crate::spec::Strategy;

/// One rollout that was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PastView {
    pub(crate) rollout: u64,
    #[serde(serialize_with = "words::stamp")]
    pub(crate) started: Stamp,
    #[serde(serialize_with = "words::maybe_stamp")]
    pub(crate) finished: Option<Stamp>,
    pub(crate) strategy: Strategy,
    pub(crate) from: Option<ReleaseId>,
    pub(crate) to: ReleaseId,
    /// Who started it: `anna@laptop`.
    pub(crate) by: String,
    #[serde(flatten)]
    pub(crate) end: End,
}

/// What a rollout came to; `None`: it has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End(pub(crate) Option<Outcome>);

#[derive(Serialize)]
struct EndFields<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Reason>,
}

impl Serialize for End {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (outcome, reason) = say::outcome(self.0.as_ref());
        EndFields { outcome, reason }.serialize(serializer)
    }
}

impl PastView {
    /// `by` is who started it.
    pub(crate) fn of(past: &Past, by: impl Into<String>) -> Self {
        Self {
            rollout: past.number,
            started: past.started,
            finished: past.finished,
            strategy: past.strategy,
            from: past.from,
            to: past.to,
            by: by.into(),
            end: End(past.outcome.clone()),
        }
    }

    pub(super) fn took(&self) -> String {
        self.finished
            .map(|finished| words::duration(finished.0.saturating_sub(self.started.0)))
            .unwrap_or_default()
    }

    pub(super) fn ended(&self) -> Line {
        match &self.end.0 {
            Some(outcome) => say::ended(outcome),
            None => Line::new(Tone::Wait, "unfinished"),
        }
    }

    fn row(&self, clock: &Clock) -> Vec<Line> {
        vec![
            self.rollout.to_string().into(),
            clock.date(self.started).into(),
            say::strategy(self.strategy).into(),
            say::change(self.from, self.to).into(),
            self.took().into(),
            self.by.as_str().into(),
            self.ended(),
        ]
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct HistoryView {
    pub(crate) agent: String,
    pub(crate) environment: String,
    pub(crate) rollouts: Vec<PastView>,
}

impl View for HistoryView {
    fn lines(&self, clock: &Clock) -> Vec<Line> {
        let columns = [
            (Align::Right, "rollout"),
            (Align::Left, "started"),
            (Align::Left, "strategy"),
            (Align::Left, "change"),
            (Align::Right, "took"),
            (Align::Left, "by"),
            (Align::Left, "outcome"),
        ];
        match self.rollouts.is_empty() {
            true => {
                vec![format!("{} was never deployed to {}", self.agent, self.environment).into()]
            }
            false => table(
                &columns,
                self.rollouts.iter().map(|past| past.row(clock)).collect(),
            ),
        }
    }
}
