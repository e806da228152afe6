//! Copies of requests: how many were made, and how the answers to them compare.

use serde::Serialize;

use super::line::{Line, Tone};
use super::words;
use crate::release::ReleaseId;
use crate::spec::Percent;
use crate::target::{Mirrored, Seen};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Copies {
    pub(crate) to: ReleaseId,
    /// Of the requests.
    pub(crate) share: Percent,
    pub(crate) copied: u64,
    pub(crate) same_status: u64,
    /// Answered with the same status and the same body.
    pub(crate) same: u64,
    /// To be copied, and not copied: too large, too many at once, or broken off.
    pub(crate) dropped: u64,
    /// Why nothing is copied any more.
    pub(crate) ended: Option<String>,
    /// Where pairs of answers are kept.
    pub(crate) file: Option<String>,
    /// Why no more are kept.
    pub(crate) file_says: Option<String>,
}

impl Copies {
    pub(crate) fn of(seen: &Seen) -> Option<Self> {
        let Mirrored {
            to,
            share,
            copied,
            same_status,
            same,
            dropped,
            ended,
            file,
            says,
            ..
        } = seen.mirrored.clone()?;
        Some(Self {
            to,
            share,
            copied,
            same_status,
            same,
            dropped,
            ended,
            file,
            file_says: says,
        })
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let dropped = match self.dropped {
            0 => String::new(),
            dropped => format!(", {} dropped", words::count(dropped)),
        };
        let told = format!(
            "{} copied to {}: {} with the same status, {} the same{dropped}",
            words::some(self.copied, "request"),
            self.to,
            words::count(self.same_status),
            words::count(self.same),
        );
        let ended = self.ended.as_ref();
        let ended = ended.map(|why| Line::new(Tone::Wait, format!("copying has ended: {why}")));
        let says = self.file_says.as_ref();
        let says = says.map(|why| format!(" ({why}: no more are kept)"));
        let file = self
            .file
            .as_ref()
            .map(|file| Line::default().dim(format!("pairs: {file}{}", says.unwrap_or_default())));
        [Some(told.into()), ended, file]
            .into_iter()
            .flatten()
            .collect()
    }
}
