//! Which moments of a rollout are told, and in which words.

use std::cell::RefCell;

use super::Sender;
use super::message::{Message, moment};
use crate::analysis::{Finding, Verdict};
use crate::redact::Redactor;
use crate::rollout::{Event, Gate, Outcome, Rollout, Stamp};
use crate::spec::{Moment, Notify, Unclear};

/// Whose rollout it is.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) agent: String,
    pub(crate) environment: Option<String>,
    pub(crate) rollout: u64,
}

/// Tells of one rollout.
pub(crate) struct Herald {
    subject: Subject,
    notify: Notify,
    sender: Sender,
    redactor: Redactor,
    /// Since when the gate is asked that was told about.
    told: RefCell<Option<Stamp>>,
}

impl Herald {
    pub(crate) fn new(
        subject: Subject,
        notify: Notify,
        sender: Sender,
        redactor: Redactor,
    ) -> Self {
        Self {
            subject,
            notify,
            sender,
            redactor,
            told: RefCell::default(),
        }
    }

    pub(crate) fn started(&self, rollout: &Rollout, at: Stamp) {
        let by = match rollout.plan().by.as_str() {
            "" => String::new(),
            by => format!(", by {by}"),
        };
        let says = format!("{} began{by}", change(rollout));
        self.tell(Moment::Started, rollout, at, says);
    }

    pub(crate) fn event(&self, rollout: &Rollout, at: Stamp, event: &Event) {
        match event {
            Event::Finished(outcome) => self.finished(rollout, at, outcome),
            _ => self.asks_a_person(rollout, at),
        }
    }

    fn finished(&self, rollout: &Rollout, at: Stamp, outcome: &Outcome) {
        let plan = rollout.plan();
        let (moment, says) = match outcome {
            Outcome::Completed => (Moment::Promoted, format!("{} has all traffic", plan.to)),
            Outcome::RolledBack(reason) => {
                let back = plan.stable().map(|stable| format!(" to {stable}"));
                let back = back.unwrap_or_default();
                (
                    Moment::RolledBack,
                    format!("{} was rolled back{back}: {}", plan.to, reason.says),
                )
            }
            Outcome::Stalled(reason) => {
                let number = self.subject.rollout;
                let says = format!(
                    "rollout {number} stalled, a person is needed: {}",
                    reason.says
                );
                (Moment::Stalled, says)
            }
        };
        self.tell(moment, rollout, at, says);
    }

    fn asks_a_person(&self, rollout: &Rollout, at: Stamp) {
        if let Some((Gate::Approve(what), since)) = rollout.gate()
            && self.is_new(since)
        {
            let says = format!("{} waits for agentctl approve: {what}", change(rollout));
            self.tell(Moment::NeedsApproval, rollout, at, says);
        }
    }

    /// A hold that is over, and a gate that waits because it cannot say.
    pub(crate) fn glimpse(&self, rollout: &Rollout, verdicts: &[Verdict], at: Stamp) {
        let Some((Gate::Hold(period), since)) = rollout.gate() else {
            return;
        };
        let is_over = at.0 >= since.0 + period.as_millis();
        if let Some(verdict) = waits(rollout, verdicts).filter(|_| is_over)
            && self.is_new(since)
        {
            let weight = rollout.step().weight;
            let says = format!("{} waits at {weight}: {}", change(rollout), verdict.says);
            self.tell(Moment::Paused, rollout, at, says);
        }
    }

    fn is_new(&self, since: Stamp) -> bool {
        self.told.replace(Some(since)) != Some(since)
    }

    fn tell(&self, event: Moment, rollout: &Rollout, at: Stamp, says: String) {
        if !self.notify.wants(event) {
            return;
        }
        let plan = rollout.plan();
        let Subject {
            agent,
            environment,
            rollout: number,
        } = self.subject.clone();
        let whole = environment
            .iter()
            .fold(agent.clone(), |whole, part| whole + "." + part);
        self.sender.send(&Message {
            v: 1,
            id: format!("{whole}/{number}/{}", at.0),
            event,
            at: moment(at),
            agent,
            environment,
            rollout: number,
            strategy: plan.strategy,
            from: plan.from,
            to: plan.to,
            by: plan.by.clone(),
            weight: rollout.step().weight,
            says: self.redactor.clean(&says),
            stamp: at,
        });
    }
}

fn waits<'v>(rollout: &Rollout, verdicts: &'v [Verdict]) -> Option<&'v Verdict> {
    let gates = &rollout.plan().gates;
    let is_patient = |verdict: &&Verdict| {
        let name = |gate: &crate::spec::MetricGate| {
            gate.name
                .clone()
                .unwrap_or_else(|| gate.metric.name().to_owned())
        };
        let of_it = gates.iter().filter(|gate| name(gate) == verdict.gate);
        of_it.into_iter().any(|gate| gate.unclear == Unclear::Wait)
    };
    let unclear = verdicts
        .iter()
        .filter(|verdict| verdict.finding == Finding::Unclear);
    unclear.into_iter().find(is_patient)
}

/// `r2 → r3`.
fn change(rollout: &Rollout) -> String {
    let plan = rollout.plan();
    match plan.stable() {
        Some(stable) => format!("{stable} → {}", plan.to),
        None => plan.to.to_string(),
    }
}
