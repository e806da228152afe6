//! Judges: measured samples → pass, fail or unclear; and work that waits → replicas.
//!
//! Judges are pure. Sources, which are asked how much work waits, are not, and judge nothing. The
//! room knows no weights, steps or undo; what follows from a verdict is decided elsewhere.

mod amount;
mod clock;
mod compare;
mod judge;
pub mod judges;
mod measures;
mod recorded;
mod replicas;
mod sliding;

pub(crate) use amount::Source;
pub(crate) use compare::{Comparison, compare};
pub(crate) use judge::{Evidence, Finding, Verdict, figure, judge};
pub(crate) use measures::Measures;
pub(crate) use recorded::{
    Alarms, How, Judged, Observation, Trial, What, false_alarms, judged, observations,
};
pub(crate) use replicas::{Decision, Less, Moment, Turn, Work, decide};
pub(crate) use sliding::Sliding;
