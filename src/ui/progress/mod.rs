//! How a running rollout is shown: redrawn in place, line by line, or as JSON.

mod json;
mod lines;
mod view;

use serde::Serialize;

use self::json::Heart;
use self::lines::Lines;
pub(super) use self::lines::Teller;
use self::view::picture;
use super::console::{Console, Output};
use super::line::{Line, Tone};
use super::live::Live;
use super::say::{self, Moment};
use super::words;
use crate::analysis::Verdict;
use crate::rollout::{Effect, Event, Outcome, Phase, Reason, Rollout, Stamp};
use crate::target::Seen;

/// What to know once it is aborted.
const AGAIN: &str = "Ctrl-C now leaves it standing";

/// Which rollout it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Title {
    pub(crate) agent: String,
    pub(crate) environment: Option<String>,
    pub(crate) rollout: u64,
}

enum Form {
    Live(Live),
    Lines(Lines),
    Json(Heart),
    /// Since when the gate is asked that was told to wait for a person.
    Quiet(Option<Stamp>),
}

pub(crate) struct Progress<'a> {
    console: &'a mut Console,
    title: Title,
    form: Form,
    rollout: Rollout,
    /// The last glimpse of the world, and what the gates said of it.
    seen: Seen,
    verdicts: Vec<Verdict>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(console: &'a mut Console, title: Title, rollout: &Rollout) -> Self {
        Self {
            form: form(console),
            console,
            title,
            rollout: rollout.clone(),
            seen: Seen::default(),
            verdicts: Vec::new(),
        }
    }

    /// After each event that was written down; the rollout has believed it.
    pub(crate) fn event(&mut self, rollout: &Rollout, at: Stamp, event: &Event) {
        self.rollout.clone_from(rollout);
        let now = Moment {
            rollout,
            seen: &self.seen,
            verdicts: &self.verdicts,
            at,
        };
        match &mut self.form {
            Form::Live(live) => live.show(self.console, picture(&self.title, &now)),
            Form::Lines(lines) => lines.event(self.console, &now, event),
            Form::Json(heart) => heart.event(self.console, &self.title, &now, event),
            Form::Quiet(asks) => warn_of_asking(self.console, &now, asks),
        }
        // At another weight nothing was judged yet.
        if let Event::Done(Effect::Route(_) | Effect::Mirror(_)) = event {
            self.verdicts.clear();
        }
    }

    /// Whenever the world changes.
    pub(crate) fn glimpse(
        &mut self,
        rollout: &Rollout,
        seen: &Seen,
        verdicts: &[Verdict],
        at: Stamp,
    ) {
        self.rollout.clone_from(rollout);
        self.seen.clone_from(seen);
        self.verdicts = verdicts.to_vec();
        self.tick(at);
    }

    /// Time goes on: at least once a second.
    pub(crate) fn tick(&mut self, at: Stamp) {
        let now = Moment {
            rollout: &self.rollout,
            seen: &self.seen,
            verdicts: &self.verdicts,
            at,
        };
        match &mut self.form {
            Form::Live(live) => live.show(self.console, picture(&self.title, &now)),
            Form::Lines(lines) => lines.glimpse(self.console, &now),
            Form::Json(heart) => heart.glimpse(self.console, &self.title, &now),
            Form::Quiet(asks) => warn_of_asking(self.console, &now, asks),
        }
    }

    /// The last words, on the world at the end; `exit` is what the process will exit with.
    pub(crate) fn done(self, rollout: &Rollout, seen: &Seen, at: Stamp, exit: u8) {
        let now = Moment {
            rollout,
            seen,
            verdicts: &self.verdicts,
            at,
        };
        if let Form::Live(live) = &self.form {
            live.last(self.console, picture(&self.title, &now));
        }
        ended(self.console, &self.title, &now, exit);
    }
}

/// Once of each: nobody would know why it goes on no more.
fn warn_of_asking(console: &mut Console, now: &Moment, asks: &mut Option<Stamp>) {
    let since = now.rollout.gate().map(|(_, since)| since);
    let is_asking = now.rollout.asks(now.verdicts, now.at).is_some();
    if is_asking && std::mem::replace(asks, since) != since {
        console.warn(&say::doing(now).paint(false));
    }
}

impl Console {
    /// The last words on a rollout that another process walked.
    pub(crate) fn ended(
        &mut self,
        title: &Title,
        rollout: &Rollout,
        seen: &Seen,
        at: Stamp,
        exit: u8,
    ) {
        let now = Moment {
            rollout,
            seen,
            verdicts: &[],
            at,
        };
        ended(self, title, &now, exit);
    }
}

fn ended(console: &mut Console, title: &Title, now: &Moment, exit: u8) {
    match console.wishes.output {
        Output::Json => json::result(console, title, now, exit),
        Output::Text => console.say(closing(now)),
    }
}

fn form(console: &Console) -> Form {
    match console.wishes.output {
        _ if console.wishes.quiet => Form::Quiet(None),
        Output::Json => Form::Json(Heart::default()),
        Output::Text if console.redraws() => Form::Live(Live::on_stderr()),
        Output::Text => Form::Lines(Lines::default()),
    }
}

/// How it ended, in a line, and where the evidence is.
fn closing(now: &Moment) -> Vec<Line> {
    let line = match now.rollout.outcome() {
        Some(Outcome::Completed) => completed(now),
        Some(Outcome::RolledBack(reason)) => {
            Line::new(Tone::Bad, undone(now.rollout)).plain(format!(": {}", reason.says))
        }
        Some(stalled) => say::ended(stalled),
        None => Line::new(Tone::Wait, "not finished"),
    };
    let (_, reason) = say::outcome(now.rollout.outcome());
    let evidence = reason.and_then(|reason| reason.evidence.as_ref());
    let evidence = evidence.map(|path| Line::from(format!("evidence: {path}")));
    let hint = reason.and_then(|reason| reason.hint.as_deref());
    let hint = hint.map(|hint| Line::new(Tone::Strong, "hint: ").plain(hint));
    let stalled = matches!(now.rollout.outcome(), Some(Outcome::Stalled(_)));
    let next = stalled.then(|| Line::new(Tone::Strong, "next: ").plain(say::next(now.rollout)));
    std::iter::once(line.dim(format!(" ({})", elapsed(now))))
        .chain(evidence)
        .chain(hint)
        .chain(next)
        .collect()
}

fn completed(now: &Moment) -> Line {
    let at = now
        .seen
        .url
        .iter()
        .map(|url| format!(" at {url}"))
        .collect::<String>();
    Line::new(Tone::Good, format!("{} is live", now.rollout.plan().to)).plain(at)
}

fn undone(rollout: &Rollout) -> String {
    let plan = rollout.plan();
    // What was stopped is not started by that.
    let served = plan.undo.first().is_some_and(|world| world.stable > 0);
    match plan.stable() {
        Some(stable) if served => format!("rolled back to {stable}"),
        None if plan.is_scale() => "rolled back".to_owned(),
        _ => format!("{} was taken down again", plan.to),
    }
}

/// Since the rollout began, until its end.
fn elapsed(now: &Moment) -> String {
    let end = now.rollout.finished().unwrap_or(now.at);
    words::ticking(end.0.saturating_sub(now.rollout.started().0))
}

/// Why it is being undone, until it is.
fn undoing(rollout: &Rollout) -> Option<&Reason> {
    match (rollout.outcome(), rollout.phase()) {
        (None, Phase::Undoing(reason)) => Some(reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
