//! Judges: measured samples → pass, fail or unclear; and work that waits → replicas.
//!
//! Judges are pure. Sources, which are asked how much work waits, are not, and judge nothing. The
//! room knows no weights, steps or undo; what follows from a verdict is decided elsewhere.

mod amount;
mod answered;
mod calls;
mod clock;
mod compare;
mod figures;
mod judge;
pub mod judges;
mod measures;
mod probed;
mod recorded;
mod replicas;
mod scored;
mod sliding;

pub(crate) use amount::Source;
pub(crate) use calls::Calls;
pub(crate) use compare::{Comparison, Judge, compare, compared};
pub(crate) use figures::{About, Answer, Purse, Reading, Said, Sources, cleaned, judge_figure};
pub(crate) use judge::{Evidence, Finding, Verdict, figure, judge, judge_beside};
pub(crate) use measures::{Measures, SOME, Used};
pub(crate) use probed::Probed;
pub(crate) use recorded::{
    Alarms, How, Judged, Observation, Pair, Trial, What, false_alarms, judged, moves, observations,
    pairs, share,
};
pub(crate) use replicas::{Decision, Less, Moment, Turn, Work, decide};
pub(crate) use scored::judge_scores;
pub(crate) use sliding::Sliding;
