//! One live view, redrawn in place.
//!
//! Invariant: a picture is written at once, line over line, so that nothing flickers; it is never
//! wider or higher than the terminal, for what has scrolled away or wrapped cannot be redrawn.

use super::view::picture;
use super::{Moment, Title};
use crate::rollout::Stamp;
use crate::ui::console::Console;
use crate::ui::line::Line;

/// Milliseconds between two pictures.
const PACE: u64 = 100;
/// Of a terminal that does not tell its size.
const SIZE: (usize, usize) = (80, 24);

#[derive(Debug, Default)]
pub(super) struct Terminal {
    /// Lines of the picture that is on the screen.
    drawn: usize,
    at: Option<Stamp>,
}

impl Terminal {
    pub(super) fn show(&mut self, console: &mut Console, title: &Title, now: &Moment) {
        let due = self
            .at
            .is_none_or(|at| now.at.0.saturating_sub(at.0) >= PACE);
        if due {
            // A picture that shrinks would bounce.
            self.draw(console, picture(title, now), self.drawn);
            self.at = Some(now.at);
        }
    }

    /// The picture that stays, with room before the last words.
    pub(super) fn last(&mut self, console: &mut Console, title: &Title, now: &Moment) {
        let mut lines = picture(title, now);
        lines.push(Line::default());
        self.draw(console, lines, 0);
        self.drawn = 0;
    }

    /// Stays above the picture, which comes back at the next moment.
    pub(super) fn note(&mut self, console: &mut Console, text: &str) {
        console.draw(&format!("{}\u{1b}[J", self.home()));
        console.note(text);
        self.drawn = 0;
        self.at = None;
    }

    /// At least this many lines; of too many the last ones, where the step and its gates stand.
    fn draw(&mut self, console: &mut Console, lines: Vec<Line>, least: usize) {
        let (columns, rows) = (console.reader.size)().unwrap_or(SIZE);
        let room = rows.saturating_sub(1);
        let hidden = lines.len().saturating_sub(room);
        let mut shown: Vec<_> = lines.into_iter().skip(hidden).collect();
        shown.resize(shown.len().max(least.min(room)), Line::default());
        self.drawn = self.drawn.min(room);
        let mut text = self.home();
        self.drawn = shown.len();
        for line in shown {
            text += &console.fit(line, columns);
            text += "\u{1b}[K\n";
        }
        console.draw(&(text + "\u{1b}[J"));
    }

    /// Back to where the picture begins; moving by no line moves by one.
    fn home(&self) -> String {
        match self.drawn {
            0 => String::new(),
            lines => format!("\u{1b}[{lines}F"),
        }
    }
}
