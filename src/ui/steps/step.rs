//! One step of a build or a push, and the list of them.

use crate::image::{Ended, Progress};
use crate::rollout::Stamp;
use crate::ui::line::{Line, Tone};
use crate::ui::words;

/// Lines of the step that runs, below it.
const OWN: usize = 4;
/// What is kept of a step's output.
const KEPT: usize = 200;

pub(super) struct Step {
    name: String,
    begun: Stamp,
    ended: Option<(Stamp, Ended)>,
    moved: Option<(u64, Option<u64>)>,
    /// The last lines that it wrote; the very last may be unfinished.
    said: Vec<String>,
}

impl Step {
    pub(super) fn new(name: &str, begun: Stamp) -> Self {
        Self {
            name: name.to_owned(),
            begun,
            ended: None,
            moved: None,
            said: Vec::new(),
        }
    }

    pub(super) fn believe(&mut self, progress: &Progress, at: Stamp) {
        match progress {
            Progress::Begun { .. } | Progress::Warned { .. } => {}
            Progress::Said { text, .. } => self.hear(text),
            Progress::Moved { bytes, of, .. } => self.moved = Some((*bytes, *of)),
            Progress::Ended { how, .. } => self.ended = Some((at, *how)),
        }
    }

    /// Text comes in pieces: what follows no line's end goes on with the last line.
    fn hear(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            match self.said.last_mut() {
                Some(last) if !last.ends_with('\n') => last.push_str(piece),
                _ => self.said.push(piece.to_owned()),
            }
        }
        let extra = self.said.len().saturating_sub(KEPT);
        self.said.drain(..extra);
    }

    /// `✓ RUN pip install …   4 s`
    pub(super) fn line(&self, now: Stamp) -> Line {
        let (tone, glyph) = match self.ended {
            None => (Tone::Wait, "●"),
            Some((_, Ended::Done | Ended::Cached)) => (Tone::Good, "✓"),
            Some((_, Ended::Failed)) => (Tone::Bad, "✗"),
        };
        Line::new(tone, format!("{glyph} "))
            .plain(self.name.as_str())
            .dim(self.figures(now))
    }

    fn figures(&self, now: Stamp) -> String {
        let took = |until: Stamp| until.0.saturating_sub(self.begun.0);
        let time = match self.ended {
            Some((_, Ended::Cached)) => "cached".to_owned(),
            Some((at, _)) => words::duration(took(at)),
            None => words::ticking(took(now)),
        };
        let moved = self.moved.map(|(bytes, of)| match of {
            Some(of) if self.ended.is_none() => {
                format!("  {} of {}", words::bytes(bytes), words::bytes(of))
            }
            _ => format!("  {}", words::bytes(bytes)),
        });
        format!("{}  {time}", moved.unwrap_or_default())
    }

    /// What it says lately, while it runs or because it failed.
    fn own_lines(&self) -> impl Iterator<Item = Line> {
        let shown = !matches!(self.ended, Some((_, Ended::Done | Ended::Cached)));
        let from = self.said.len().saturating_sub(OWN);
        let lines = self.said[from..].iter().filter(move |_| shown);
        lines.map(|line| Line::default().dim(format!("    {}", line.trim_end())))
    }
}

pub(super) fn picture(steps: &[Step], now: Stamp) -> Vec<Line> {
    let of = |step: &Step| {
        let own: Vec<Line> = step.own_lines().collect();
        std::iter::once(step.line(now)).chain(own)
    };
    steps.iter().flat_map(of).collect()
}
