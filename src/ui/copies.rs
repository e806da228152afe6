//! Copies of requests: how many were made, and how the answers to them compare.

use super::line::{Line, Tone};
use super::words;
use crate::target::Copies;

pub(super) fn lines(copies: &Copies) -> Vec<Line> {
    let dropped = match copies.dropped {
        0 => String::new(),
        dropped => format!(", {} dropped", words::count(dropped)),
    };
    let told = format!(
        "{} copied to {}: {} with the same status, {} the same{dropped}",
        words::some(copies.copied, "request"),
        copies.to,
        words::count(copies.same_status),
        words::count(copies.same),
    );
    let ended = copies.ended.as_ref();
    let ended = ended.map(|why| Line::new(Tone::Wait, format!("copying has ended: {why}")));
    let says = copies.file_says.as_ref();
    let says = says.map(|why| format!(" ({why}: no more are kept)"));
    let file = copies
        .file
        .as_ref()
        .map(|file| Line::default().dim(format!("pairs: {file}{}", says.unwrap_or_default())));
    [Some(told.into()), ended, file]
        .into_iter()
        .flatten()
        .collect()
}
