//! Judges that are models: they are given conversations that this process has itself, and score
//! them.
//!
//! What was scored and spent is a document of the rollout, written after each conversation, so that
//! whoever goes on with it neither asks nor pays for it again. One conversation is judged at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::Engine;
use super::probe::{self, Turn};
use crate::advice::{Advise, in_a_line};
use crate::analysis::judges::{Confidence, Kind, Promise, Risk, Score, Scores};
use crate::analysis::{Answer, Finding, Purse, Reading, Said, Sources, Verdict, judge_scores};
use crate::journal::Store;
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::rollout::Plan;
use crate::spec::{LlmJudge, MetricGate, Probe};
use crate::target::Target;

/// Who is asked, and what was spent on each.
pub(crate) struct Jury<'a> {
    pub(crate) judges: &'a BTreeMap<String, LlmJudge>,
    pub(crate) sources: &'a Sources,
    /// Nothing secret goes to who judges.
    pub(crate) redactor: &'a Redactor,
    pub(crate) purses: &'a Purses,
}

/// By the judges' names.
#[derive(Default)]
pub(crate) struct Purses(RefCell<BTreeMap<String, Rc<Purse>>>);

impl Purses {
    fn of(&self, judge: &str) -> Rc<Purse> {
        let mut purses = self.0.borrow_mut();
        Rc::clone(purses.entry(judge.to_owned()).or_default())
    }

    pub(crate) fn spent_on(&self, judge: &str) -> f64 {
        self.of(judge).spent()
    }

    fn spent(&self) -> BTreeMap<String, f64> {
        let purses = self.0.borrow();
        let spent = purses
            .iter()
            .map(|(name, purse)| (name.clone(), purse.spent()));
        spent.collect()
    }
}

impl Jury<'_> {
    /// # Errors
    /// Why there is no score, in words.
    pub(crate) async fn score(&self, name: &str, turns: &[Turn]) -> Result<f64, String> {
        let judge = self.judges.get(name);
        let judge = judge.ok_or_else(|| format!("there is no judge {name}"))?;
        let said = turns.iter().map(|turn| self.said(judge, turn));
        let said = said.collect::<Result<Vec<Said>, String>>()?;
        let purse = self.purses.of(name);
        let score = self.sources.score(judge, &said, &purse).await;
        score.map_err(|says| self.redactor.clean(&says))
    }

    fn said(&self, judge: &LlmJudge, turn: &Turn) -> Result<Said, String> {
        let reply = match &judge.reply {
            Some(path) => probe::found(path, &turn.reply.body)?,
            None => turn.reply.body.clone(),
        };
        let request = turn.request.json.clone().unwrap_or_default();
        let path = format!("{} {}", turn.request.method, turn.request.path);
        let request = match request.is_null() {
            true => path.into(),
            false => request,
        };
        Ok(Said {
            request: self.redactor.redact_json(request),
            reply: self.redactor.redact(&reply),
        })
    }
}

/// What is known of a rollout's judges.
#[derive(Default)]
pub(crate) struct Judging {
    purses: Purses,
    /// By gate.
    scores: RefCell<BTreeMap<usize, Scores>>,
    turn: Mutex<()>,
}

/// As it is written down.
#[derive(Default, Serialize, Deserialize)]
struct Written {
    spent: BTreeMap<String, f64>,
    scores: BTreeMap<usize, Scores>,
}

/// The name that a rollout's scores are kept under.
fn document(rollout: u64) -> String {
    format!("judged-{rollout:04}.json")
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) fn jury(&self) -> Jury<'_> {
        Jury {
            judges: &self.rollout.plan().judges,
            sources: self.sources,
            redactor: self.redactor,
            purses: &self.judging.purses,
        }
    }

    /// What another process has scored and spent in this rollout.
    pub(super) async fn read_judged(&self) -> Result<()> {
        if self.rollout.plan().judges.is_empty() {
            return Ok(());
        }
        let name = document(self.number);
        let Some(bytes) = self.store.get(&name).await? else {
            return Ok(());
        };
        let written: Written = serde_json::from_slice(&bytes).advise(
            format!("{name} cannot be read, so what was spent on judges is not known"),
            "it may have been written by a newer agentctl: upgrade this one",
        )?;
        let purses = written.spent.into_iter();
        let purses = purses.map(|(name, spent)| (name, Rc::new(Purse::restored(spent))));
        *self.judging.purses.0.borrow_mut() = purses.collect();
        *self.judging.scores.borrow_mut() = written.scores;
        Ok(())
    }

    pub(super) async fn keep_judged(&self) -> Result<()> {
        let written = Written {
            spent: self.judging.purses.spent(),
            scores: self.judging.scores.borrow().clone(),
        };
        let bytes = serde_json::to_vec(&written)?;
        self.store
            .put(self.hold, &document(self.number), &bytes)
            .await
    }

    /// By all that was scored so far; `answer`: what came of asking last.
    pub(super) fn judged(&self, at: usize, gate: &MetricGate, answer: Option<&Answer>) -> Verdict {
        let scores = self.judging.scores.borrow();
        let scores = scores.get(&at).cloned().unwrap_or_default();
        match self.risk(at) {
            Some(risk) => judge_scores(gate, &scores, risk, answer),
            None => Verdict::nothing_seen(gate),
        }
    }

    /// So many more conversations, until it is found whether they are good enough: then nothing more
    /// is spent.
    pub(super) async fn ask_judge(&self, at: usize, gate: &MetricGate, name: &str) -> Answer {
        let judge = self.rollout.plan().judges.get(name);
        for _ in 0..judge.map_or(0, |judge| judge.samples) {
            let so_far = self.mean(at).map(|mean| Ok(mean.into()));
            if self.judged(at, gate, so_far.as_ref()).finding != Finding::Unclear {
                break;
            }
            self.sample(at, gate, name).await?;
        }
        let mean = self.mean(at).map(Reading::from);
        mean.ok_or_else(|| "nothing was scored".to_owned())
    }

    fn mean(&self, at: usize) -> Option<f64> {
        self.judging.scores.borrow().get(&at)?.mean()
    }

    /// One conversation more.
    async fn sample(&self, at: usize, gate: &MetricGate, name: &str) -> Result<(), String> {
        let _mine = self.judging.turn.lock().await;
        let scored = self.scored(at, gate, name).await;
        if let Ok(score) = &scored {
            let mut scores = self.judging.scores.borrow_mut();
            scores.entry(at).or_default().0.push(*score);
        }
        let kept = self.keep_judged().await;
        kept.map_err(|error| {
            format!(
                "what was spent could not be written down: {}",
                in_a_line(&error)
            )
        })?;
        scored.map(drop)
    }

    async fn scored(&self, at: usize, gate: &MetricGate, name: &str) -> Result<Score, String> {
        let plan = self.rollout.plan();
        let before = self
            .judging
            .scores
            .borrow()
            .get(&at)
            .map_or(0, |all| all.0.len());
        let probe = nth_conversation(plan, name, before);
        let probe = probe.ok_or("there are no conversations that could be judged")?;
        let conversation = format!("judged-{}-{}-{at}-{before}", self.number, (self.clock)().0);
        let candidate = self.conversation(plan.to, probe, &conversation).await?;
        let stable = match plan.stable().filter(|_| gate.against.is_some()) {
            Some(stable) => Some(self.conversation(stable, probe, &conversation).await?),
            None => None,
        };
        let jury = self.jury();
        Ok(Score {
            candidate: jury.score(name, &candidate).await?,
            stable: match stable {
                Some(stable) => Some(jury.score(name, &stable).await?),
                None => None,
            },
        })
    }

    async fn conversation(
        &self,
        release: ReleaseId,
        probe: &Probe,
        conversation: &str,
    ) -> Result<Vec<Turn>, String> {
        let conversation = format!("{conversation}-{release}");
        let had = probe::converse(self.target, release, probe, &conversation).await;
        had.map_err(|error| in_a_line(&error))
    }

    /// This gate's part of the one promise.
    pub(super) fn risk(&self, at: usize) -> Option<Risk> {
        let promise = Promise::new(Confidence::new(self.rollout.plan().confidence)?);
        let gates = self.rollout.plan().gates.iter().enumerate();
        let (gates, kinds): (Vec<usize>, Vec<Kind>) = gates
            .filter(|(_, gate)| gate.is_statistical())
            .map(|(at, gate)| (at, super::compare::kind(gate.metric)))
            .unzip();
        let risks = promise.split(&kinds);
        let mine = gates.iter().position(|gate| *gate == at)?;
        risks.get(mine).copied()
    }
}

/// All in turn, again and again.
fn nth_conversation<'p>(plan: &'p Plan, judge: &str, nth: usize) -> Option<&'p Probe> {
    let suite = plan.judges.get(judge)?.suite.as_deref();
    let probes = plan.probes.iter();
    let probes: Vec<&Probe> = probes
        .filter(|probe| suite.is_none() || probe.suite.as_deref() == suite)
        .collect();
    probes.get(nth % probes.len().max(1)).copied()
}
