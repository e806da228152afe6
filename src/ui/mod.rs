//! What people and programs see: events and plans → text, progress, tables and JSON lines.
//!
//! The only room that prints; it decides nothing. Invariants: data goes to stdout, everything else
//! to stderr; every text passes the redactor and can steer no terminal; a reader that went away
//! ends the printing, never the rollout; time is handed in.

mod analyze;
mod arms;
mod console;
mod copies;
mod doctor;
mod error;
#[cfg(test)]
mod fixtures;
mod history;
mod images;
mod line;
mod live;
mod logs;
mod plan;
mod probes;
mod progress;
mod report;
mod say;
mod serving;
mod status;
mod steps;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use analyze::{AlarmsView, JudgedView, ScoredView};
pub(crate) use console::{Color, Console, Output, Reader, Wishes};
pub(crate) use doctor::{DoctorView, Finding};
pub(crate) use history::{HistoryView, PastView};
pub(crate) use images::{ImageView, ImagesView};
pub(crate) use plan::PlanView;
pub(crate) use probes::{junit, probed};
pub(crate) use progress::{Progress, Title};
pub(crate) use report::{Known, ReplicaLog, Report};
pub(crate) use say::next;
pub(crate) use serving::Serving;
pub(crate) use status::{Running, Status};
pub(crate) use steps::Steps;
