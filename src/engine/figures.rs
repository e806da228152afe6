//! Gates that ask a source: now and then, beside all looks, so that none of them waits for an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use super::Engine;
use crate::analysis::{About, Answer, Verdict, cleaned, judge_figure};
use crate::journal::Store;
use crate::rollout::Stamp;
use crate::spec::{GateSource, MetricGate};
use crate::target::Target;

/// What a gate's source said, and when it was asked.
type Told = (usize, Stamp, Answer);

/// By gate: when it was asked, and what it said.
pub(super) type Answers = BTreeMap<usize, (Stamp, Answer)>;

/// What sources said last, and who is being asked.
pub(super) struct Figures<'e> {
    pub(super) said: Answers,
    asked: FuturesUnordered<LocalBoxFuture<'e, Told>>,
    /// When the hold is over: all are asked then, however seldom they are asked.
    over: Stamp,
}

impl Figures<'_> {
    /// A gate's source has not answered yet, or only what it was asked before this.
    pub(super) fn is_waiting(&self, since: Option<Stamp>) -> bool {
        let is_old = |(at, _): &(Stamp, Answer)| since.is_some_and(|since| *at < since);
        self.said.len() < self.asked.len() || self.said.values().any(is_old)
    }

    pub(super) fn said(&self, at: usize) -> Option<&Answer> {
        self.said.get(&at).map(|(_, answer)| answer)
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    /// `said`: what they said earlier in this hold.
    pub(super) fn figures(&self, over: Stamp, said: Answers) -> Figures<'_> {
        let figures = Figures {
            said,
            asked: FuturesUnordered::new(),
            over,
        };
        for (at, gate) in self.asked_now().filter(|(_, gate)| gate.source.is_some()) {
            let asked = figures.said.get(&at).map(|(asked, _)| *asked);
            let after = asked.map(|asked| self.pause(gate.asked_every(), asked, over));
            let asking = self.figure(at, after.unwrap_or_default());
            figures.asked.push(Box::pin(asking));
        }
        figures
    }

    /// Until it is asked again: as often as the gate says, and when the hold is over.
    fn pause(&self, every: Duration, asked: Stamp, over: Stamp) -> Duration {
        let now = (self.clock)();
        let left = |at: Stamp| Duration::from_millis(at.0.saturating_sub(now.0));
        let after = every.saturating_sub(Duration::from_millis(now.0.saturating_sub(asked.0)));
        match left(over) {
            Duration::ZERO => after,
            left => after.min(left),
        }
    }

    /// The next answer; never, where nobody is asked.
    pub(super) async fn next_answer<'e>(&'e self, figures: &mut Figures<'e>) {
        let Some((at, asked, answer)) = figures.asked.next().await else {
            return std::future::pending().await;
        };
        figures.said.insert(at, (asked, answer));
        let gate = self.rollout.plan().gates.get(at);
        let every = gate.map(MetricGate::asked_every);
        let after = self.pause(every.unwrap_or_default(), (self.clock)(), figures.over);
        figures.asked.push(Box::pin(self.figure(at, after)));
    }

    /// By what its source said last.
    pub(super) fn sourced(&self, at: usize, gate: &MetricGate, figures: &Figures<'_>) -> Verdict {
        match gate.judge() {
            Some(_) => self.judged(at, gate, figures.said(at)),
            None => judge_figure(gate, figures.said(at)),
        }
    }

    async fn figure(&self, at: usize, after: Duration) -> Told {
        tokio::time::sleep(after).await;
        let asked = (self.clock)();
        let gate = self.rollout.plan().gates.get(at);
        let source = gate.and_then(|gate| Some((gate, gate.source.as_ref()?)));
        let Some((gate, source)) = source else {
            return std::future::pending().await;
        };
        let answer = match source {
            GateSource::Judge { judge } => self.ask_judge(at, gate, judge).await,
            _ => self.sources.figure(source, &self.about(gate)).await,
        };
        (at, asked, cleaned(answer, self.redactor))
    }

    fn about(&self, gate: &MetricGate) -> About {
        let plan = self.rollout.plan();
        let now = (self.clock)();
        let reached = self.rollout.gate().map_or(now, |(_, since)| since);
        let window = match gate.window {
            Some(window) => window.as_millis(),
            None => now.0.saturating_sub(reached.0),
        };
        About {
            release: plan.to.to_string(),
            stable: plan.stable().map_or_else(String::new, |id| id.to_string()),
            window: window / 1000,
            step: self.rollout.row() + 1,
        }
    }
}
