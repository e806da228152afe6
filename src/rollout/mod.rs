//! The rollout core: tables of wanted worlds, the one rule that walks them, and the fold of events
//! that says what comes next.
//!
//! Pure: no clock, no randomness, no I/O, no `async`, and no knowledge of targets. Time enters as
//! the stamp of an event. Invariants, held by the simulation after every effect: no weight beyond
//! what is ready; ready capacity never under the plan's floor by our own act; every run ends in the
//! old release whole, the new release whole, or stalled with capacity whole.

mod event;
mod history;
mod in_place;
mod in_turn;
mod live;
mod person;
mod plan;
#[cfg(test)]
pub(crate) mod samples;
mod shares;
#[cfg(test)]
mod simulation;
mod state;
mod tables;
mod walk;

pub(crate) use event::{
    Counted, Effect, Event, Live, Marks, Measured, Next, Outcome, Reason, Side, Slot, Stamp, Units,
    Why,
};
pub(crate) use history::{History, MayGoBack, Past};
pub(crate) use person::Waits;
pub(crate) use plan::{Gate, Plan, Step};
pub(crate) use state::{Phase, Rollout};
pub(crate) use tables::{Wish, back};
