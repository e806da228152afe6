//! The steps of a build as they go by, and what each said last.

use std::collections::VecDeque;

use crate::image::{Ended, Progress};
use crate::redact::Redactor;

/// A failure is told with this many lines of the step's output.
const KEPT: usize = 20;
/// A line longer than this many bytes is cut.
const LONGEST: usize = 1000;

pub(super) struct Steps<'a> {
    watch: &'a mut dyn FnMut(Progress),
    /// A step may print what was mounted for it.
    clean: Redactor,
    all: Vec<Step>,
}

pub(super) struct Step {
    pub(super) name: String,
    tail: VecDeque<String>,
    /// What it wrote last, if a secret's value may begin there and go on in the next piece.
    held: Vec<u8>,
    ended: Option<Ended>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(watch: &'a mut dyn FnMut(Progress), clean: Redactor) -> Self {
        Self {
            watch,
            clean,
            all: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, name: &str) -> usize {
        let step = self.all.len();
        self.all.push(Step {
            name: name.to_owned(),
            tail: VecDeque::from([String::new()]),
            held: Vec::new(),
            ended: None,
        });
        let name = name.to_owned();
        (self.watch)(Progress::Begun { step, name });
        step
    }

    /// Text as it comes, which a value or a letter may go on in.
    pub(super) fn say(&mut self, step: usize, piece: &[u8]) {
        let Some(saying) = self.all.get_mut(step) else {
            return;
        };
        saying.held.extend_from_slice(piece);
        let whole = saying.held.len() - unfinished(&saying.held);
        let text = String::from_utf8_lossy(&saying.held[..whole]);
        let (clean, rest) = self.clean.redact_so_far(&text);
        saying.held = [rest.as_bytes(), &saying.held[whole..]].concat();
        self.said(step, clean);
    }

    /// Nothing goes on here.
    fn say_the_rest(&mut self, step: usize) {
        if let Some(ending) = self.all.get_mut(step) {
            let rest = std::mem::take(&mut ending.held);
            let clean = self.clean.redact(&String::from_utf8_lossy(&rest));
            self.said(step, clean);
        }
    }

    fn said(&mut self, step: usize, text: String) {
        if let Some(said) = self.all.get_mut(step).filter(|_| !text.is_empty()) {
            said.keep(&text);
            (self.watch)(Progress::Said { step, text });
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.clean.redact(text)
    }

    pub(super) fn moved(&mut self, step: usize, bytes: u64, of: Option<u64>) {
        (self.watch)(Progress::Moved { step, bytes, of });
    }

    /// What has ended stays so.
    pub(super) fn end(&mut self, step: usize, how: Ended) {
        self.say_the_rest(step);
        let Some(ending) = self.all.get_mut(step).filter(|step| step.ended.is_none()) else {
            return;
        };
        ending.ended = Some(how);
        (self.watch)(Progress::Ended { step, how });
    }

    /// A cache that is not to be had fails no build.
    pub(super) fn failed(&self) -> Option<&Step> {
        let failed = |step: &&Step| step.ended == Some(Ended::Failed) && !step.is_cache();
        self.all.iter().find(failed)
    }
}

/// Bytes at the end that are a letter's beginning.
fn unfinished(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let cut = last.map_or(&[][..], |chunk| chunk.invalid());
    let begins = std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
    if begins { cut.len() } else { 0 }
}

impl Step {
    fn keep(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            if let Some(last) = self.tail.back_mut() {
                let room = LONGEST.saturating_sub(last.len());
                last.extend(piece.trim_end_matches('\n').chars().take(room));
            }
            if piece.ends_with('\n') {
                self.tail.push_back(String::new());
            }
            // The last is the line that is still being written.
            while self.tail.len() > KEPT + 1 {
                self.tail.pop_front();
            }
        }
    }

    fn is_cache(&self) -> bool {
        self.name.starts_with("importing cache manifest from ")
    }

    /// Whether it gets a base image.
    pub(super) fn is_base(&self) -> bool {
        self.base().is_some()
    }

    /// The base image that it gets.
    pub(super) fn base(&self) -> Option<&str> {
        const OF_BUILDKIT: [&str; 2] = ["load metadata for ", "resolve image config for "];
        let name = self.name.split_once("] ");
        let name = name.map_or(&*self.name, |(_, name)| name);
        let named = |start: &&str| name.strip_prefix(*start);
        let image = OF_BUILDKIT.iter().find_map(named);
        image.or_else(|| name.strip_prefix("FROM "))
    }

    /// The last lines of its output.
    pub(super) fn tail(&self) -> impl Iterator<Item = &str> {
        let lines = self.tail.iter().map(|line| line.trim_end());
        lines.filter(|line| !line.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_however_they_came() {
        let mut watch = |_| ();
        let mut steps = Steps::new(&mut watch, Redactor::default());
        let step = steps.begin("RUN make");
        for number in 0..50 {
            steps.say(step, b"line ");
            steps.say(step, format!("{number}\n").as_bytes());
        }
        steps.say(step, b"the end");
        let tail: Vec<_> = steps.all[step].tail().collect();
        assert_eq!((tail.len(), tail[0], tail[20]), (21, "line 30", "the end"));
    }

    #[test]
    fn a_secret_in_pieces_is_found() {
        let secrets = [("TOKEN".to_owned(), "hünter2-hünter2".to_owned())];
        let clean = Redactor::new(&secrets.into());
        let whole = "it is hünter2-hünter2\n, hün";
        for cut in 0..whole.len() {
            let mut said = String::new();
            let mut watch = |progress| {
                if let Progress::Said { text, .. } = progress {
                    said.push_str(&text);
                }
            };
            let mut steps = Steps::new(&mut watch, clean.clone());
            let step = steps.begin("RUN make");
            steps.say(step, &whole.as_bytes()[..cut]);
            steps.say(step, &whole.as_bytes()[cut..]);
            steps.end(step, Ended::Failed);
            let tail: Vec<_> = steps.all[step].tail().collect();
            assert_eq!(tail, ["it is [TOKEN redacted]", ", hün"], "{cut}");
            assert_eq!(said, "it is [TOKEN redacted]\n, hün", "{cut}");
        }
    }
}
