//! One release as it serves: what `status`, the live view and the heartbeat show of it.

use serde::Serialize;

use super::line::{Line, Tone};
use super::table::{Align, Column};
use super::words;
use crate::analysis::Measures;
use crate::release::ReleaseId;
use crate::rollout::{Outcome, Phase, Rollout, Stamp};
use crate::spec::Percent;
use crate::target::{Failing, Seen, SeenRelease};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Stable,
    Candidate,
    /// It has no place in the plan any more and only finishes what it began.
    Draining,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
            Self::Draining => "draining",
        }
    }

    /// The candidate is promoted where nothing is undone any more.
    pub(crate) fn of(release: ReleaseId, rollout: &Rollout) -> Self {
        let plan = rollout.plan();
        let promoted = match rollout.outcome() {
            Some(outcome) => *outcome == Outcome::Completed,
            None => rollout.phase() == Phase::CleaningUp,
        };
        let undone = matches!(rollout.outcome(), Some(Outcome::RolledBack(_)));
        match () {
            () if release == plan.to && (promoted || plan.is_scale()) => Self::Stable,
            () if release == plan.to && undone => Self::Draining,
            () if release == plan.to => Self::Candidate,
            () if Some(release) == plan.stable() && !promoted => Self::Stable,
            () => Self::Draining,
        }
    }
}

/// Counts are of the stretch of time that was asked for: all of it, or since shares changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Serving {
    pub(crate) release: ReleaseId,
    pub(crate) role: Role,
    pub(crate) weight: Percent,
    pub(crate) ready: u32,
    pub(crate) wanted: u32,
    pub(crate) coming: u32,
    pub(crate) leaving: u32,
    /// When counting began.
    #[serde(serialize_with = "words::maybe_stamp")]
    pub(crate) since: Option<Stamp>,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) error_rate: Option<f64>,
    /// In seconds, as is the next.
    pub(crate) latency_p50: Option<f64>,
    pub(crate) latency_p95: Option<f64>,
    pub(crate) open_requests: u64,
    pub(crate) open_conversations: u64,
    pub(crate) tokens: Option<u64>,
    /// In the agent's currency.
    pub(crate) cost: Option<f64>,
    pub(crate) failing: Vec<Failing>,
}

impl Serving {
    /// Everything that was seen of a rollout's releases.
    pub(crate) fn in_total(rollout: &Rollout, seen: &Seen) -> Vec<Self> {
        all(rollout, seen, |release| &release.total)
    }

    /// What was seen of a rollout's releases since shares changed: what the gates judge.
    pub(super) fn lately(rollout: &Rollout, seen: &Seen) -> Vec<Self> {
        all(rollout, seen, |release| &release.window)
    }

    fn new(release: ReleaseId, role: Role, seen: &SeenRelease, measures: &Measures) -> Self {
        Self {
            release,
            role,
            weight: Percent::ZERO,
            ready: seen.ready,
            wanted: seen.wanted,
            coming: seen.coming,
            leaving: seen.leaving,
            since: (measures.since > 0).then_some(Stamp(measures.since)),
            requests: measures.requests,
            errors: measures.errors,
            error_rate: measures.error_rate(),
            latency_p50: measures.latency(0.50),
            latency_p95: measures.latency(0.95),
            open_requests: measures.open,
            open_conversations: seen.conversations,
            tokens: (measures.token_requests > 0).then_some(measures.tokens),
            cost: (measures.cost_requests > 0).then_some(measures.cost_micros as f64 / 1e6),
            failing: seen.failing.clone(),
        }
    }

    /// `● r12 stable`.
    pub(super) fn name(&self) -> Line {
        let (tone, glyph) = self.glyph();
        Line::new(tone, glyph)
            .plain(format!(" {:<3} ", self.release.to_string()))
            .dim(self.role.name())
    }

    fn glyph(&self) -> (Tone, &'static str) {
        match self.role {
            _ if !self.failing.is_empty() => (Tone::Bad, "✗"),
            Role::Draining => (Tone::Dim, "└"),
            _ if self.ready == 0 => (Tone::Wait, "○"),
            _ if self.ready < self.wanted || self.role == Role::Candidate => (Tone::Wait, "◐"),
            _ => (Tone::Good, "●"),
        }
    }

    /// `3/3 ready`, `1/3 ready, 2 leaving`, `1 leaving`.
    pub(super) fn replicas(&self) -> String {
        let ready = (self.wanted > 0).then(|| format!("{}/{} ready", self.ready, self.wanted));
        let leaving = (self.leaving > 0).then(|| format!("{} leaving", self.leaving));
        let parts: Vec<_> = ready.into_iter().chain(leaving).collect();
        match parts.is_empty() {
            true => "no replicas".to_owned(),
            false => parts.join(", "),
        }
    }

    /// Empty for one that only drains.
    pub(super) fn share(&self) -> String {
        match self.role == Role::Draining && self.weight == Percent::ZERO {
            true => String::new(),
            false => self.weight.to_string(),
        }
    }

    /// `r13-2 restarted 3 times: exited with 1`, for each replica that fails.
    pub(super) fn failures(&self) -> impl Iterator<Item = Line> {
        self.failing.iter().map(|failing| {
            let restarts = match failing.restarts {
                0 => String::new(),
                times => format!(" restarted {}", words::some(times.into(), "time")),
            };
            Line::new(Tone::Bad, format!("{}-{}", self.release, failing.replica))
                .dim(restarts)
                .plain(format!(": {}", failing.says))
        })
    }

    pub(super) const COLUMNS: [Column<'static>; 9] = [
        (Align::Left, "release"),
        (Align::Left, "replicas"),
        (Align::Right, "traffic"),
        (Align::Right, "requests"),
        (Align::Right, "errors"),
        (Align::Right, "p95"),
        (Align::Right, "open"),
        (Align::Right, "tokens"),
        (Align::Right, "cost"),
    ];

    /// One row under these columns.
    pub(super) fn row(&self) -> Vec<Line> {
        let some = |number: u64| {
            if number > 0 {
                words::count(number)
            } else {
                String::new()
            }
        };
        let requests = match self.role {
            Role::Draining => some(self.requests),
            Role::Stable | Role::Candidate => words::count(self.requests),
        };
        let cells = [
            self.share(),
            requests,
            self.error_rate.map(words::rate).unwrap_or_default(),
            self.latency_p95.map(words::latency).unwrap_or_default(),
            some(self.open_conversations),
            self.tokens.map(words::count).unwrap_or_default(),
            self.cost
                .map(|cost| format!("{cost:.2}"))
                .unwrap_or_default(),
        ];
        let head = [self.name(), self.replicas().into()];
        head.into_iter()
            .chain(cells.into_iter().map(Line::from))
            .collect()
    }
}

/// In the order they are shown in.
fn all(rollout: &Rollout, seen: &Seen, measures: fn(&SeenRelease) -> &Measures) -> Vec<Serving> {
    let serving = |(id, release): (&ReleaseId, &SeenRelease)| Serving {
        weight: seen.shares.get(id).copied().unwrap_or_default(),
        ..Serving::new(*id, Role::of(*id, rollout), release, measures(release))
    };
    let mut all: Vec<_> = seen.releases.iter().map(serving).collect();
    all.sort_by_key(|one| (one.role, one.release));
    all
}

/// Replicas that fail are told up to this many: they mostly fail for one reason.
const TOLD: usize = 5;

/// Under the rows of these releases.
pub(super) fn failures(releases: &[Serving]) -> impl Iterator<Item = Line> {
    let all = || releases.iter().flat_map(Serving::failures);
    let more = all().count().saturating_sub(TOLD);
    let rest = (more > 0).then(|| Line::default().dim(format!("and {more} more")));
    all().take(TOLD).chain(rest).map(|line| line.indent(2))
}
