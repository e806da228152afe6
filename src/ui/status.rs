//! `agentctl status`: who serves what and how well, the running rollout, and the last one.

use serde::Serialize;

use super::arms::{Arm, difference};
use super::console::View;
use super::copies;
use super::history::PastView;
use super::line::{Line, Tone};
use super::say::{self, Moment};
use super::serving::{Serving, failures};
use super::table::{Align, aligned, table};
use super::words::{self, Clock};
use crate::analysis::Verdict;
use crate::release::ReleaseId;
use crate::rollout::{Phase, Rollout, Stamp};
use crate::spec::{Percent, Strategy};
use crate::target::{Copies, Seen, SeenBeside};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    pub(crate) agent: String,
    pub(crate) environment: Option<String>,
    /// Where users reach the agent.
    pub(crate) url: Option<String>,
    /// Where they should, and do not: the address could not be opened.
    pub(crate) closed: Option<String>,
    pub(crate) releases: Vec<Serving>,
    /// Services and tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<SeenBeside>,
    pub(crate) rollout: Option<Running>,
    /// The last rollout that ended.
    pub(crate) last: Option<PastView>,
    /// What a person types where a rollout stands still.
    pub(crate) next: Option<&'static str>,
}

/// A rollout that has not ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Running {
    pub(crate) rollout: u64,
    pub(crate) strategy: Strategy,
    pub(crate) from: Option<ReleaseId>,
    pub(crate) to: ReleaseId,
    #[serde(serialize_with = "words::stamp")]
    pub(crate) started: Stamp,
    pub(crate) phase: &'static str,
    /// From 1 to `steps`; while undoing, the row that is gone back to.
    pub(crate) step: usize,
    pub(crate) steps: usize,
    pub(crate) weight: Percent,
    /// What it does or waits for.
    pub(crate) doing: String,
    /// What the gates said when they were looked at last, at this weight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gates: Vec<Verdict>,
    /// Why it is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undoing: Option<String>,
    /// While an A/B test is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) arms: Vec<Arm>,
    /// While requests are copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copies: Option<Copies>,
    /// Who runs it: `anna@laptop, pid 4711`; `None`: nobody does.
    pub(crate) holder: Option<String>,
    /// For so many seconds it gave no heartbeat, which is longer than it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) silent: Option<u64>,
}

impl Running {
    pub(crate) fn of(
        number: u64,
        rollout: &Rollout,
        seen: &Seen,
        verdicts: &[Verdict],
        at: Stamp,
        holder: Option<String>,
    ) -> Self {
        let plan = rollout.plan();
        let now = Moment {
            rollout,
            seen,
            verdicts,
            at,
        };
        let (phase, undoing) = phase(rollout.phase());
        Self {
            rollout: number,
            strategy: plan.strategy,
            from: plan.from,
            to: plan.to,
            started: rollout.started(),
            phase,
            step: say::step(rollout),
            steps: say::steps(plan),
            weight: seen.shares.get(&plan.to).copied().unwrap_or_default(),
            doing: say::doing(&now).paint(false),
            gates: verdicts.to_vec(),
            undoing,
            arms: Arm::of(rollout, seen),
            copies: seen.mirrored.as_ref().map(|all| all.copies.clone()),
            holder,
            silent: None,
        }
    }

    fn lines(&self, clock: &Clock) -> Vec<Line> {
        let kind = say::kind(self.strategy, self.from, self.to);
        let title = format!("{kind}   {}", say::change(self.from, self.to));
        let place = match &self.undoing {
            Some(reason) => Line::new(Tone::Bad, "undoing: ").plain(reason.as_str()),
            None => format!("step {} of {}", self.step, self.steps).into(),
        };
        let holder = match &self.holder {
            Some(holder) => {
                let says = format!("run by {holder} since {}", clock.since(self.started));
                let silent = self.silent.iter();
                let silent = silent.map(|seconds| format!(", last heartbeat {seconds} s ago"));
                Line::from(says).add(Tone::Wait, silent.collect::<String>())
            }
            None => Line::new(Tone::Wait, "run by nobody"),
        };
        let copies = self.copies.iter().flat_map(copies::lines);
        let title = Line::new(Tone::Strong, format!("rollout {}   ", self.rollout)).plain(title);
        let doing = Line::new(Tone::Wait, self.doing.as_str());
        let arms = self.arms.iter().map(Arm::line);
        let gates = self.gates.iter().map(say::verdict);
        let told = gates
            .chain(arms)
            .chain(difference(&self.arms))
            .chain(copies);
        let below = [place, doing].into_iter().chain(told).chain([holder]);
        std::iter::once(title)
            .chain(below.map(|line| line.indent(2)))
            .collect()
    }
}

/// The phase's name for programs, and why it is undone.
pub(super) fn phase(phase: Phase) -> (&'static str, Option<String>) {
    match phase {
        Phase::Forward => ("forward", None),
        Phase::Undoing(reason) => ("undoing", Some(reason.says.clone())),
        Phase::CleaningUp => ("cleaning_up", None),
    }
}

impl Status {
    fn header(&self) -> Line {
        let url = self.url.iter().map(|url| format!("   {url}"));
        let line = say::whose(&self.agent, self.environment.as_deref());
        let line = line.dim(url.collect::<String>());
        match &self.closed {
            Some(closed) => line.add(
                Tone::Bad,
                format!("   {closed} could not be opened: somebody else has it (ss -ltnp)"),
            ),
            None => line,
        }
    }

    fn serving(&self, clock: &Clock) -> Vec<Line> {
        if self.releases.is_empty() {
            return vec![self.nothing()];
        }
        let mut lines = table(
            &Serving::COLUMNS,
            self.releases.iter().map(Serving::row).collect(),
        );
        lines.extend(failures(&self.releases));
        let since = self.releases.iter().find_map(|one| one.since);
        lines.extend(since.map(|since| self.legend(clock, since)));
        lines
    }

    fn beside(&self) -> Option<Vec<Line>> {
        let row = |one: &SeenBeside| {
            let tone = if one.is_well { Tone::Good } else { Tone::Bad };
            vec![
                Line::default().dim("beside"),
                one.name.as_str().into(),
                Line::new(tone, one.says.as_str()),
            ]
        };
        let rows: Vec<_> = self.beside.iter().map(row).collect();
        (!rows.is_empty()).then(|| aligned(&[Align::Left; 3], rows))
    }

    fn legend(&self, clock: &Clock, since: Stamp) -> Line {
        let talks = self.releases.iter().any(|one| one.open_conversations > 0);
        let open = if talks { "open: conversations; " } else { "" };
        Line::default().dim(format!("{open}counted since {}", clock.since(since)))
    }

    fn nothing(&self) -> Line {
        match self.last {
            Some(_) => "nothing runs: agentctl deploy starts it again".into(),
            None => format!("nothing of {} is deployed here", self.agent).into(),
        }
    }

    fn last(&self, clock: &Clock) -> Option<Vec<Line>> {
        self.last.as_ref().map(|past| {
            let at = clock.since(past.finished.unwrap_or(past.started));
            let title = Line::new(Tone::Strong, format!("last rollout {}   ", past.rollout))
                .plain(format!("{}   ", past.title()))
                .then(past.ended())
                .dim(format!("   {at}"));
            let evidence = past.evidence().map(|path| format!("evidence: {path}"));
            let below = past.why().map(Line::from).into_iter();
            let below = below.chain(evidence.map(Line::from));
            std::iter::once(title)
                .chain(below.map(|line| line.indent(2)))
                .collect()
        })
    }

    fn next(&self) -> Option<Vec<Line>> {
        let next = self.next?;
        Some(vec![Line::new(Tone::Strong, "next: ").plain(next)])
    }
}

impl View for Status {
    fn lines(&self, clock: &Clock) -> Vec<Line> {
        let running = self.rollout.as_ref().map(|running| running.lines(clock));
        let parts = [
            Some(vec![self.header()]),
            Some(self.serving(clock)),
            self.beside(),
            running,
            self.last(clock),
            self.next(),
        ];
        parts
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(&Line::default())
    }
}
