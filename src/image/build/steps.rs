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
            ended: None,
        });
        let name = name.to_owned();
        (self.watch)(Progress::Begun { step, name });
        step
    }

    pub(super) fn say(&mut self, step: usize, text: &str) {
        let text = self.clean.redact(text);
        if let Some(said) = self.all.get_mut(step) {
            said.keep(&text);
        }
        (self.watch)(Progress::Said { step, text });
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.clean.redact(text)
    }

    pub(super) fn moved(&mut self, step: usize, bytes: u64, of: Option<u64>) {
        (self.watch)(Progress::Moved { step, bytes, of });
    }

    /// What has ended stays so.
    pub(super) fn end(&mut self, step: usize, how: Ended) {
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
        let of_buildkit = ["[internal] load metadata for ", "resolve image config for "];
        let named = of_buildkit.iter().any(|name| self.name.starts_with(name));
        let instruction = self
            .name
            .split_once("] ")
            .map_or(&*self.name, |(_, name)| name);
        named || instruction.starts_with("FROM ")
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
            steps.say(step, "line ");
            steps.say(step, &format!("{number}\n"));
        }
        steps.say(step, "the end");
        let tail: Vec<_> = steps.all[step].tail().collect();
        assert_eq!((tail.len(), tail[0], tail[20]), (21, "line 30", "the end"));
    }
}
