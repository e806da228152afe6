//! What sources say of the release that is watched: asked now and then, beside all looks, so that none
//! of them waits for an answer.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;

use crate::analysis::{About, Answer, Sources, Verdict, cleaned, judge_figure};
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::spec::{MetricGate, Period};

pub(super) struct Asked {
    gates: Rc<Vec<MetricGate>>,
    sources: Rc<Sources>,
    redactor: Redactor,
    /// What is judged: so much of the past.
    window: Period,
    said: BTreeMap<usize, Answer>,
    waiting: FuturesUnordered<LocalBoxFuture<'static, (usize, Answer)>>,
    about: Option<Rc<About>>,
}

impl Asked {
    pub(super) fn new(
        gates: Rc<Vec<MetricGate>>,
        sources: Sources,
        redactor: Redactor,
        window: Period,
    ) -> Self {
        Self {
            gates,
            sources: Rc::new(sources),
            redactor,
            window,
            said: BTreeMap::new(),
            waiting: FuturesUnordered::new(),
            about: None,
        }
    }

    /// Of this release from now on; nothing that was said of another counts.
    pub(super) fn begin(&mut self, release: ReleaseId) {
        self.end();
        self.about = Some(Rc::new(About {
            release: release.to_string(),
            stable: String::new(),
            window: self.window.as_millis() / 1000,
            step: 0,
        }));
        let with_source = |gate: &MetricGate| gate.source.is_some();
        let at: Vec<usize> = (0..self.gates.len())
            .filter(|at| with_source(&self.gates[*at]))
            .collect();
        at.into_iter().for_each(|at| self.ask(at, Duration::ZERO));
    }

    pub(super) fn end(&mut self) {
        self.said.clear();
        self.waiting.clear();
        self.about = None;
    }

    /// Takes the next answer; never ends where nobody is asked. Says so where a source that has
    /// answered, or was never asked before, does not.
    pub(super) async fn next(&mut self) -> Option<String> {
        let Some((at, answer)) = self.waiting.next().await else {
            return std::future::pending().await;
        };
        let gate = &self.gates[at];
        let was_down = matches!(self.said.get(&at), Some(Err(_)));
        let says = match &answer {
            Err(_) if !was_down => Some(judge_figure(gate, Some(&answer)).says),
            _ => None,
        };
        let every = gate.asked_every();
        self.said.insert(at, answer);
        self.ask(at, every);
        says
    }

    pub(super) fn judge(&self, at: usize, gate: &MetricGate) -> Verdict {
        judge_figure(gate, self.said.get(&at))
    }

    fn ask(&mut self, at: usize, after: Duration) {
        let Some(about) = self.about.clone() else {
            return;
        };
        let (gates, sources) = (Rc::clone(&self.gates), Rc::clone(&self.sources));
        let redactor = self.redactor.clone();
        self.waiting.push(Box::pin(async move {
            tokio::time::sleep(after).await;
            let Some(source) = &gates[at].source else {
                return std::future::pending().await;
            };
            let answer = sources.figure(source, &about).await;
            (at, cleaned(answer, &redactor))
        }));
    }
}
