//! What no single key can tell: keys that contradict, miss or need each other. Each check points
//! at the value that has to change.

mod beside;
mod build;
mod cluster;
mod gate;
mod judge;
mod notify;
mod place;
mod rollout;
mod run;
mod scale;
mod source;

use super::origin::Origins;
use super::problem::Problem;
use super::source::Source;
use super::{Period, Spec, TargetSpec};

pub(super) struct Check<'a> {
    source: &'a Source<'a>,
    origins: &'a Origins,
    pub(super) problems: Vec<Problem>,
    /// What works and probably is not meant.
    pub(super) warnings: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub(super) fn new(source: &'a Source<'a>, origins: &'a Origins) -> Self {
        Self {
            source,
            origins,
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn spec(&mut self, spec: &Spec) {
        run::check(spec, self);
        place::check(spec, self);
        build::check(spec, self);
        beside::check(spec, self);
        scale::check(spec, self);
        self.health(spec);
        self.drain(spec);
        rollout::check(&spec.rollout, self);
        rollout::shadow(spec, self);
        rollout::ab(spec, self);
        gate::check(spec, self);
        judge::check(spec, self);
        self.above_zero("rollback.window", spec.rollback.window);
        if let Some(notify) = &spec.notify {
            notify::check(notify, self);
        }
        cluster::check(spec, self);
    }

    /// What the place where it runs cannot have at all.
    pub(super) fn target(&mut self, spec: &Spec, target: &TargetSpec) {
        cluster::target(spec, target, self);
    }

    fn health(&mut self, spec: &Spec) {
        let health = &spec.health;
        self.above_zero("health.every", health.every);
        self.above_zero("health.timeout", health.timeout);
        self.above_zero("health.startup.within", health.startup.within);
    }

    fn drain(&mut self, spec: &Spec) {
        let drain = &spec.drain;
        if drain.conversations.is_zero() {
            return;
        }
        self.above_zero("drain.idle", drain.idle);
        if drain.idle > drain.conversations {
            let message = "drain.idle is longer than drain.conversations and never applies";
            self.warn("drain.idle", message);
        }
    }

    fn above_zero(&mut self, path: &str, period: Period) {
        if period.is_zero() {
            self.refuse(path, format!("{path} must be longer than 0"));
        }
    }

    /// About what works and probably is not meant.
    pub(super) fn warn(&mut self, path: &str, message: impl AsRef<str>) {
        let problem = self.at(path, message);
        self.warnings.push(problem);
    }

    pub(super) fn refuse(&mut self, path: &str, message: impl AsRef<str>) {
        self.problems.push(self.at(path, message));
    }

    pub(super) fn refuse_with(
        &mut self,
        path: &str,
        message: impl AsRef<str>,
        hint: impl Into<String>,
    ) {
        self.problems
            .push(self.at(path, message).hint(Some(hint.into())));
    }

    /// The line is not shown: it holds what nobody is to see.
    pub(super) fn refuse_unseen(&mut self, path: &str, message: impl AsRef<str>, hint: String) {
        let problem = self.at(path, message).hint(Some(hint));
        self.problems.push(problem.without_line());
    }

    fn at(&self, path: &str, message: impl AsRef<str>) -> Problem {
        self.source.problem(self.origins.span(path), message)
    }

    /// Points at the reference itself where it stands in the file as it is read.
    fn at_part(&self, path: &str, part: &str, message: String) -> Problem {
        let span = self.origins.span(path);
        let written = self.source.text.get(span.clone()).unwrap_or_default();
        let part = written
            .find(part)
            .map(|at| span.start + at..span.start + at + part.len());
        self.source.problem(part.unwrap_or(span), message)
    }

    pub(super) fn missing_variable(&mut self, path: &str, name: &str) {
        let message = format!("{name} is not set in the environment that agentctl runs in");
        let hint =
            format!("set it (export {name}=…), or write $${{{name}}} for a plain ${{{name}}}");
        let problem = self.at_part(path, &format!("${{{name}}}"), message);
        self.problems.push(problem.hint(Some(hint)).of_here());
    }
}

/// Where nothing is put into texts, it would stay as it is written.
fn names_secret(text: &str) -> bool {
    text.replace("$${", "").contains("${secret:")
}
