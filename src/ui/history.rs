//! `agentctl history`: every rollout, the newest first as handed in.

use serde::Serialize;

use super::console::View;
use super::line::{Line, Tone};
use super::say;
use super::table::{Align, table};
use super::words::{self, Clock};
use crate::release::ReleaseId;
use crate::rollout::{Outcome, Past, Plan, Reason, Stamp};
use crate::spec::Strategy;

/// Columns before a reason: it stands under the moment.
const INDENT: usize = 9;

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
    /// What made it begin, where that was no person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<String>,
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
    pub(crate) fn of(past: &Past, plan: &Plan) -> Self {
        Self {
            rollout: past.number,
            started: past.started,
            finished: past.finished,
            strategy: past.strategy,
            from: past.from,
            to: past.to,
            by: plan.by.clone(),
            because: plan.because.clone(),
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
            Some(outcome) => say::name(outcome),
            None => Line::new(Tone::Wait, "unfinished"),
        }
    }

    pub(super) fn why(&self) -> Option<&str> {
        let (_, reason) = say::outcome(self.end.0.as_ref());
        reason.map(|reason| reason.says.as_str())
    }

    pub(super) fn evidence(&self) -> Option<&str> {
        let (_, reason) = say::outcome(self.end.0.as_ref());
        reason?.evidence.as_deref()
    }

    /// `canary   r12 → r13`.
    pub(super) fn title(&self) -> String {
        let kind = say::kind(self.strategy, self.from, self.to);
        format!("{kind}   {}", say::change(self.from, self.to))
    }

    fn row(&self, clock: &Clock) -> Vec<Line> {
        vec![
            self.rollout.to_string().into(),
            clock.date(self.started).into(),
            say::kind(self.strategy, self.from, self.to).into(),
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
    pub(crate) environment: Option<String>,
    pub(crate) rollouts: Vec<PastView>,
}

impl View for HistoryView {
    fn lines(&self, clock: &Clock) -> Vec<Line> {
        let columns = [
            (Align::Right, "rollout"),
            (Align::Left, "started"),
            (Align::Left, "kind"),
            (Align::Left, "change"),
            (Align::Right, "took"),
            (Align::Left, "by"),
            (Align::Left, "outcome"),
        ];
        if self.rollouts.is_empty() {
            return vec![format!("nothing of {} was ever deployed here", self.agent).into()];
        }
        let rows = self.rollouts.iter().map(|past| past.row(clock)).collect();
        let mut rows = table(&columns, rows).into_iter();
        let heads = rows.next();
        let below = self.rollouts.iter().map(|past| {
            let said = past.because.as_deref().into_iter().chain(past.why());
            said.map(|said| Line::default().dim(said).indent(INDENT))
        });
        let rows = rows.zip(below);
        let rows = rows.flat_map(|(row, below)| std::iter::once(row).chain(below));
        heads.into_iter().chain(rows).collect()
    }
}
