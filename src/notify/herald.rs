//! Which moments of a rollout are told, and in which words.

use std::cell::RefCell;

use super::Sender;
use super::message::{Message, moment};
use crate::analysis::Verdict;
use crate::redact::Redactor;
use crate::rollout::{Event, Gate, Outcome, Rollout, Stamp, Waits};
use crate::spec::{Moment, Notify};

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
    /// Since when the gate is asked that was told about, and what was told of it.
    told: RefCell<(Stamp, Vec<Waits>)>,
}

fn moment_of(waits: Waits) -> Moment {
    match waits {
        Waits::Person => Moment::NeedsApproval,
        Waits::Evidence | Waits::Outage => Moment::Paused,
    }
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
        if let Some((Gate::Approve(what), since)) = rollout.gate() {
            self.stands(Waits::Person, since, rollout, at, || {
                format!("{} waits for agentctl approve: {what}", change(rollout))
            });
        }
    }

    /// A hold that does not go on: both releases fail, or it is over and a gate cannot say.
    pub(crate) fn glimpse(&self, rollout: &Rollout, verdicts: &[Verdict], at: Stamp) {
        let (Some((_, since)), Some((waits, verdict))) =
            (rollout.gate(), rollout.stands(verdicts, at))
        else {
            return;
        };
        let weight = rollout.step().weight;
        self.stands(waits, since, rollout, at, || {
            let person = match waits {
                Waits::Person => " for agentctl approve",
                Waits::Evidence | Waits::Outage => "",
            };
            let change = change(rollout);
            format!("{change} waits{person} at {weight}: {}", verdict.says)
        });
    }

    /// Once for each that a gate is waited for.
    fn stands(
        &self,
        waits: Waits,
        since: Stamp,
        rollout: &Rollout,
        at: Stamp,
        says: impl FnOnce() -> String,
    ) {
        let mut told = self.told.borrow_mut();
        if told.0 != since {
            *told = (since, Vec::new());
        }
        if !told.1.contains(&waits) {
            told.1.push(waits);
            self.tell(moment_of(waits), rollout, at, says());
        }
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

/// `r2 → r3`.
fn change(rollout: &Rollout) -> String {
    let plan = rollout.plan();
    match plan.stable() {
        Some(stable) => format!("{stable} → {}", plan.to),
        None => plan.to.to_string(),
    }
}

#[cfg(test)]
mod tests;
