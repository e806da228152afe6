//! Effect → call → event.

use anyhow::{Context, Result};

use super::Engine;
use super::live::live;
use crate::advice;
use crate::journal::Store;
use crate::release::{Release, ReleaseId};
use crate::rollout::{Effect, Event, Gate, Reason, Slot, Why};
use crate::spec::Percent;
use crate::target::{Arms, Mirror, Seen, Target, Traffic};

/// How a wait ended badly, with what was seen last.
pub(super) struct Failure {
    pub(super) why: Why,
    pub(super) says: String,
    pub(super) hint: Option<String>,
    pub(super) seen: Option<Box<Seen>>,
    pub(super) verdicts: Vec<crate::analysis::Verdict>,
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            hint: advice::hint(&error).map(str::to_owned),
            ..Self::new(Why::Target, advice::in_a_line(&error))
        }
    }
}

impl Failure {
    pub(super) fn new(why: Why, says: impl Into<String>) -> Self {
        Self {
            why,
            says: says.into(),
            hint: None,
            seen: None,
            verdicts: Vec::new(),
        }
    }

    pub(super) fn seeing(mut self, seen: &Seen) -> Self {
        self.seen = Some(Box::new(seen.clone()));
        self
    }
}

impl<T: Target, S: Store> Engine<'_, T, S> {
    pub(super) async fn perform(&self, effect: &Effect) -> Event {
        let done = match effect {
            Effect::Observe => return self.observe().await,
            Effect::Scale(slot, replicas) => self.scale(*slot, *replicas).await,
            Effect::AwaitReady(slot, replicas) => self.ready(*slot, *replicas).await,
            Effect::AwaitGone(most) => self.gone(*most).await,
            Effect::Route(weight) => self.route(*weight, Percent::ZERO).await,
            Effect::Mirror(share) => self.route(Percent::ZERO, *share).await,
            Effect::Retire(id) => self.retire(*id).await,
            Effect::Ask(Gate::Hold(period)) => {
                return match self.hold(*period).await {
                    Ok(event) => event,
                    Err(failure) => self.failed(effect, failure).await,
                };
            }
            Effect::Ask(Gate::Probe) => self.probe().await,
            Effect::Ask(Gate::Approve(_)) => self.await_approval().await,
        };
        match done {
            Ok(()) => Event::Done(effect.clone()),
            Err(failure) => self.failed(effect, failure).await,
        }
    }

    async fn observe(&self) -> Event {
        match self.target.observe().await {
            Ok(seen) => {
                self.glimpse(&seen, &[]);
                Event::Observed(live(&seen, self.rollout.plan()))
            }
            Err(error) => self.failed(&Effect::Observe, error.into()).await,
        }
    }

    async fn failed(&self, effect: &Effect, failure: Failure) -> Event {
        let evidence = self.save_evidence(&failure).await;
        let missing = evidence
            .missing
            .map(|why| format!(" (evidence is missing: {why})"));
        let says = failure.says + &missing.unwrap_or_default();
        let reason = Reason {
            why: failure.why,
            says: self.redactor.clean(&says),
            lines: evidence.lines,
            evidence: evidence.path,
            hint: failure.hint.map(|hint| self.redactor.clean(&hint)),
        };
        Event::Failed(effect.clone(), reason)
    }

    async fn scale(&self, slot: Slot, replicas: u32) -> Result<(), Failure> {
        let release = self.release_in(slot).await?;
        Ok(self.target.scale(&release, replicas).await?)
    }

    async fn retire(&self, id: ReleaseId) -> Result<(), Failure> {
        Ok(self.target.scale(&self.release(id).await?, 0).await?)
    }

    async fn route(&self, weight: Percent, mirror: Percent) -> Result<(), Failure> {
        let traffic = self.traffic(weight, mirror).await?;
        Ok(self.target.route(&traffic).await?)
    }

    async fn traffic(&self, weight: Percent, mirror: Percent) -> Result<Traffic> {
        let plan = self.rollout.plan();
        let rest = Percent::from_hundredths(Percent::FULL.hundredths() - weight.hundredths());
        let shares = [(Some(plan.to), weight), (plan.stable(), rest)];
        let drain = self.release(plan.to).await?.contents.drain;
        Ok(Traffic {
            shares: shares
                .into_iter()
                .filter_map(|(id, share)| Some((id?, share)))
                .filter(|(_, share)| *share > Percent::ZERO)
                .collect(),
            keys: drain.key,
            sticky: plan.sticky,
            settle: plan
                .settle
                .filter(|_| weight.is_split() || !mirror.is_zero()),
            arms: plan
                .ab
                .clone()
                .zip(plan.stable())
                .filter(|_| weight.is_split())
                .map(|(ab, rest)| Arms {
                    to: plan.to,
                    rest,
                    ab,
                }),
            mirror: (!mirror.is_zero()).then(|| Mirror {
                to: plan.to,
                share: mirror,
                shadow: plan.shadow.clone().unwrap_or_default(),
            }),
        })
    }

    /// Ends by itself: what leaves has its own deadlines.
    async fn gone(&self, most: u32) -> Result<(), Failure> {
        let mut seen = self.target.observe().await?;
        loop {
            self.glimpse(&seen, &[]);
            let live = live(&seen, self.rollout.plan());
            if live.alive() <= most {
                return Ok(());
            }
            seen = self.target.next().await?;
        }
    }

    pub(super) fn glimpse(&self, seen: &Seen, verdicts: &[crate::analysis::Verdict]) {
        self.look(seen, verdicts);
        self.audience
            .glimpse(&self.rollout, seen, verdicts, (self.clock)());
    }

    async fn release_in(&self, slot: Slot) -> Result<Release> {
        self.release(self.id_in(slot)?).await
    }

    pub(super) fn id_in(&self, slot: Slot) -> Result<ReleaseId> {
        let plan = self.rollout.plan();
        match slot {
            Slot::Candidate => Ok(plan.to),
            Slot::Stable => plan.stable().context("there is no stable release"),
        }
    }
}
