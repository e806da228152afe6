//! One live view, redrawn in place by indicatif.
//!
//! Invariant: the picture is never wider or higher than the terminal, for what has wrapped or
//! scrolled away cannot be redrawn.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::view::picture;
use super::{Moment, Title};
use crate::ui::console::Console;
use crate::ui::line::Line;

/// Pictures a second.
const PACE: u8 = 10;
/// Of a terminal that does not tell its size.
const SIZE: (usize, usize) = (80, 24);

/// A bar that is nothing but its message, which is the picture.
pub(super) struct Terminal(ProgressBar);

impl Terminal {
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
    pub(super) fn show(&self, console: &mut Console, title: &Title, now: &Moment) {
        let (lines, rows) = fitted(console, title, now);
        // The last ones, where the step and its gates stand.
        let hidden = lines.len().saturating_sub(rows);
        self.0.set_message(lines[hidden..].join("\n"));
        console.draw("\r");
    }

    /// The picture that stays, with room before the last words.
    pub(super) fn last(&self, console: &mut Console, title: &Title, now: &Moment) {
        self.0.finish_and_clear();
        let (lines, _) = fitted(console, title, now);
        console.draw(&(lines.join("\n") + "\n"));
    }
}

/// The picture and an empty line, and the rows that there are for it.
fn fitted(console: &Console, title: &Title, now: &Moment) -> (Vec<String>, usize) {
    let (columns, rows) = (console.reader.size)().unwrap_or(SIZE);
    let lines = picture(title, now).into_iter().chain([Line::default()]);
    (lines.map(|line| console.fit(line, columns)).collect(), rows)
}
