//! Judges: measured samples → pass, fail or unclear.
//!
//! Pure. It knows no weights, steps or undo; what follows from a verdict is decided elsewhere.

mod compare;
mod judge;
pub mod judges;
mod measures;

pub(crate) use compare::{Comparison, compare};
pub(crate) use judge::{Finding, Verdict, judge};
pub(crate) use measures::Measures;
