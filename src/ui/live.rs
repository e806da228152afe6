//! One live view, redrawn in place by indicatif.
//!
//! Invariant: the picture is never wider or higher than the terminal, for what has wrapped or
//! scrolled away cannot be redrawn.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use super::line::Line;

/// Pictures a second.
const PACE: u8 = 10;
/// Of a terminal that does not tell its size.
const SIZE: (usize, usize) = (80, 24);

/// A bar that is nothing but its message, which is the picture.
pub(super) struct Live(ProgressBar);

impl Live {
    pub(super) fn on_stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(PACE))
    }

    pub(super) fn on(target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{msg}");
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner())))
    }

    /// Leaves the cursor at the beginning of an empty line: what the terminal echoes (`^C`) then
    /// moves no line of the picture.
    pub(super) fn show(&self, console: &mut Console, picture: Vec<Line>) {
        let (lines, rows) = fitted(console, picture);
        // The last ones, where the step and its gates stand.
        let hidden = lines.len().saturating_sub(rows);
        self.0.set_message(lines[hidden..].join("\n"));
        console.draw("\r");
    }

    /// What is said meanwhile stays above the picture.
    pub(super) fn above(&self, say: impl FnOnce()) {
        self.0.suspend(say);
    }

    /// The picture that stays, with room before the last words.
    pub(super) fn last(&self, console: &mut Console, picture: Vec<Line>) {
        self.0.finish_and_clear();
        let (lines, _) = fitted(console, picture);
        console.draw(&(lines.join("\n") + "\n"));
    }
}

/// The picture and an empty line, and the rows that there are for it.
fn fitted(console: &Console, picture: Vec<Line>) -> (Vec<String>, usize) {
    let (columns, rows) = (console.reader.size)().unwrap_or(SIZE);
    let lines = picture.into_iter().chain([Line::default()]);
    (lines.map(|line| console.fit(line, columns)).collect(), rows)
}
