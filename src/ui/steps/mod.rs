//! How a build or a push is shown: a list of steps redrawn in place, a line for each step, or JSON.

mod step;
#[cfg(test)]
mod tests;

use serde_json::json;

use self::step::{Step, picture};
use super::console::{Console, Output};
use super::line::Line;
use super::live::Live;
use crate::image::{Ended, Progress};
use crate::rollout::Stamp;

enum Form {
    Live(Live),
    Lines,
    Json,
    Quiet,
}

/// The steps of one build or push, in the order in which they began.
pub(crate) struct Steps<'a> {
    console: &'a mut Console,
    form: Form,
    /// `build`, `push`.
    what: &'static str,
    steps: Vec<Step>,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(console: &'a mut Console, what: &'static str) -> Self {
        let form = match console.wishes.output {
            _ if console.wishes.quiet => Form::Quiet,
            Output::Json => Form::Json,
            Output::Text if console.redraws() => Form::Live(Live::on_stderr()),
            Output::Text => Form::Lines,
        };
        Self {
            console,
            form,
            what,
            steps: Vec::new(),
        }
    }

    pub(crate) fn progress(&mut self, progress: &Progress, at: Stamp) {
        if let Progress::Warned { text } = progress {
            return self.warn(text);
        }
        self.believe(progress, at);
        match &self.form {
            Form::Live(_) => self.tick(at),
            Form::Lines => self.line(progress, at),
            Form::Json => self.json(progress),
            Form::Quiet => {}
        }
    }

    /// Time goes on.
    pub(crate) fn tick(&mut self, at: Stamp) {
        if let Form::Live(live) = &self.form {
            live.show(self.console, picture(&self.steps, at));
        }
    }

    /// The list that stays.
    pub(crate) fn done(self, at: Stamp) {
        if let Form::Live(live) = &self.form {
            live.last(self.console, picture(&self.steps, at));
        }
    }

    /// As every warning, on stderr whatever is printed for programs.
    fn warn(&mut self, text: &str) {
        match &self.form {
            Form::Live(live) => live.above(|| self.console.warn(text)),
            _ => self.console.warn(text),
        }
    }

    fn believe(&mut self, progress: &Progress, at: Stamp) {
        match progress {
            Progress::Begun { name, .. } => self.steps.push(Step::new(name, at)),
            Progress::Said { step, .. }
            | Progress::Moved { step, .. }
            | Progress::Ended { step, .. } => {
                if let Some(step) = self.steps.get_mut(*step) {
                    step.believe(progress, at);
                }
            }
            Progress::Warned { .. } => {}
        }
    }

    /// A step's beginning says what goes on, its end how long it took; what it wrote is for those
    /// who ask for more.
    fn line(&mut self, progress: &Progress, at: Stamp) {
        let verbose = self.console.wishes.verbose > 0;
        let lines = match progress {
            Progress::Begun { name, .. } => vec![Line::from(name.as_str())],
            Progress::Ended { step, .. } => self.ended(*step, at),
            Progress::Said { text, .. } if verbose => text.lines().map(written).collect(),
            Progress::Said { .. } | Progress::Moved { .. } | Progress::Warned { .. } => Vec::new(),
        };
        let time = self.console.clock(at).time(at);
        for line in lines {
            self.console.say([Line::default()
                .dim(&time)
                .plain(format!("  {:<5}  ", self.what))
                .then(line)]);
        }
    }

    fn ended(&self, step: usize, at: Stamp) -> Vec<Line> {
        let step = self.steps.get(step);
        step.map(|step| step.line(at)).into_iter().collect()
    }

    fn json(&mut self, progress: &Progress) {
        let step = match progress {
            Progress::Begun { step, name } => json!({ "step": step, "begun": name }),
            Progress::Said { step, text } => json!({ "step": step, "said": text }),
            Progress::Ended { step, how } => json!({ "step": step, "ended": word(*how) }),
            Progress::Moved { .. } | Progress::Warned { .. } => return,
        };
        self.console.json(&json!({ self.what: step }));
    }
}

fn word(how: Ended) -> &'static str {
    match how {
        Ended::Done => "done",
        Ended::Cached => "cached",
        Ended::Failed => "failed",
    }
}

fn written(line: &str) -> Line {
    Line::default().dim(format!("  {line}"))
}
