//! Every rollout that the journal knows.

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use super::site::now;
use crate::analysis::Verdict;
use crate::journal::{Hold, Record, Store};
use crate::rollout::{Event, History, Outcome, Past, Phase, Reason, Rollout, Stamp, Why};
use crate::ui::PastView;

/// A rollout as its journal tells it.
pub(crate) struct Journaled {
    pub(crate) number: u64,
    pub(crate) rollout: Rollout,
    /// What the gates that are asked now said when they were looked at last.
    pub(crate) verdicts: Vec<Verdict>,
}

/// Rollouts in order; the last one may not be finished.
pub(crate) async fn read<S: Store>(store: &S) -> Result<Vec<Journaled>> {
    // A far one is asked for all of them at once.
    let read = async |number| one(number, store.read(number).await?);
    try_join_all(store.list().await?.into_iter().map(read)).await
}

/// The number of the next one.
pub(crate) fn next(past: &[Journaled]) -> u64 {
    past.last().map_or(1, |past| past.number + 1)
}

/// One of them.
pub(crate) async fn find<S: Store>(store: &S, number: u64) -> Result<Journaled> {
    one(number, store.read(number).await?)
}

pub(crate) fn history(past: &[Journaled]) -> History {
    let rollouts = past.iter();
    History(
        rollouts
            .map(|past| Past::of(past.number, &past.rollout))
            .collect(),
    )
}

/// All that happened in one of them.
pub(crate) async fn events<S: Store>(store: &S, number: u64) -> Result<Vec<(Stamp, Event)>> {
    events_of(store.read(number).await?).with_context(|| unreadable(number))
}

fn events_of(records: Vec<Record>) -> Result<Vec<(Stamp, Event)>> {
    let event = |record: Record| Ok((Stamp(record.at), serde_json::from_value(record.payload)?));
    records.into_iter().map(event).collect()
}

fn one(number: u64, records: Vec<Record>) -> Result<Journaled> {
    let events = events_of(records).with_context(|| unreadable(number))?;
    let look = events.iter().rev().find_map(|(at, event)| match event {
        Event::Measured(look) => Some((*at, look.verdicts.clone())),
        _ => None,
    });
    let rollout = Rollout::replay(events).with_context(|| unreadable(number))?;
    let since = rollout.gate().map(|(_, since)| since);
    let verdicts = look.filter(|(at, _)| since.is_some_and(|since| since <= *at));
    Ok(Journaled {
        number,
        rollout,
        verdicts: verdicts.map(|(_, verdicts)| verdicts).unwrap_or_default(),
    })
}

fn unreadable(number: u64) -> String {
    format!("the journal of rollout {number} cannot be read")
}

impl Journaled {
    /// What a person is asked, by the last look that was written down.
    pub(crate) fn asks(&self) -> Option<&str> {
        self.rollout.asks(&self.verdicts, now())
    }

    pub(crate) fn view(&self) -> PastView {
        PastView::of(&Past::of(self.number, &self.rollout), self.rollout.plan())
    }
}

/// A rollout that may go on does no more: what it was about is stopped.
pub(crate) async fn stopped<S: Store>(
    store: &S,
    hold: &Hold,
    past: &[Journaled],
    who: &str,
) -> Result<()> {
    let Some(last) = past.last().filter(|last| last.rollout.can_go_on()) else {
        return Ok(());
    };
    let outcome = match last.rollout.phase() {
        // The old release is not gone back to from there.
        Phase::CleaningUp => Outcome::Completed,
        Phase::Forward | Phase::Undoing(_) => {
            Outcome::RolledBack(Reason::new(Why::Aborted, format!("stopped by {who}")))
        }
    };
    let stalled = last.rollout.finished().is_some();
    let resumed = stalled.then(|| Event::Resumed(who.to_owned()));
    for event in resumed.into_iter().chain([Event::Finished(outcome)]) {
        let payload = serde_json::to_value(&event)?;
        store.append(hold, last.number, now().0, payload).await?;
    }
    Ok(())
}

/// A rollout whose process died is left as it stands: the next one's table cleans up after it.
pub(crate) async fn abandon<S: Store>(
    store: &S,
    hold: &Hold,
    past: &mut [Journaled],
    number: u64,
) -> Result<()> {
    let Some(last) = past
        .last_mut()
        .filter(|last| last.rollout.finished().is_none())
    else {
        return Ok(());
    };
    let event = Event::Finished(Outcome::Stalled(Reason::new(
        Why::Aborted,
        format!("abandoned: rollout {number} took over"),
    )));
    let at = now();
    let payload = serde_json::to_value(&event)?;
    store.append(hold, last.number, at.0, payload).await?;
    last.rollout.apply(at, event)
}
