//! Between the verbs and the `ui` room: facts about this process's terminal, and the engine's
//! audience.

use std::cell::{RefCell, RefMut};
use std::io;

use anyhow::Result;

use super::args::{self, File};
use super::exit::Exit;
use super::site::{Project, Site, now};
use crate::advice::Advise;
use crate::analysis::Verdict;
use crate::engine::Audience;
use crate::journal;
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::rollout::{Event, Outcome, Plan, Rollout, Stamp};
use crate::spec::{self, Problem};
use crate::target::Seen;
use crate::ui::{Color, Console, Output, PlanView, Progress, Reader, Title, Wishes};

pub(crate) struct Shown(RefCell<Console>);

impl Shown {
    pub(crate) fn new(show: &args::Show) -> Self {
        let wishes = Wishes {
            output: match show.output {
                args::Output::Text => Output::Text,
                args::Output::Json => Output::Json,
            },
            color: match show.color {
                args::Color::Auto => Color::Auto,
                args::Color::Always => Color::Always,
                args::Color::Never => Color::Never,
            },
            quiet: show.quiet,
            verbose: show.verbose,
        };
        let reader = Reader::of_this_process();
        let (out, err) = (Box::new(io::stdout()), Box::new(io::stderr()));
        Self(RefCell::new(Console::new(wishes, reader, out, err)))
    }

    pub(crate) fn console(&self) -> RefMut<'_, Console> {
        self.0.borrow_mut()
    }

    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.console().note(text.as_ref());
    }

    pub(crate) fn text(&self, text: &str) {
        self.console().text(text);
    }

    pub(crate) fn warnings(&self, warnings: &[Problem]) {
        for warning in warnings {
            self.console().warn(&warning.render());
        }
    }

    pub(crate) fn keep_out(&self, redactor: Redactor) {
        self.console().keep_out(redactor);
    }

    pub(crate) fn error(&self, error: anyhow::Error, exit: Exit) {
        let error = match journal::hint(&error) {
            Some(hint) => {
                let what = error.to_string();
                Err::<(), _>(error).advise(what, hint).unwrap_err()
            }
            None => error,
        };
        self.console().error(&error, exit as u8);
    }

    pub(crate) fn nothing_changed(&self, site: &Site, release: ReleaseId, seen: &Seen) {
        let url = seen.url.as_deref().unwrap_or("no address");
        self.console().note(
            &format!("nothing changed: {release} of {} is live at {url}", site.name()),
        );
    }

    pub(crate) fn plan(&self, site: &Site, plan: &Plan, changes: &[String]) {
        let view = PlanView {
            agent: &site.agent,
            environment: site.environment.as_deref().unwrap_or_default(),
            changes,
            plan,
        };
        self.console().show(&view, now());
    }
}

/// The engine's audience while one rollout runs.
pub(crate) struct Watching<'a>(RefCell<Progress<'a>>);

impl<'a> Watching<'a> {
    pub(crate) fn new(console: &'a mut Console, site: &Site, rollout: u64) -> Self {
        let title = Title {
            agent: site.agent.clone(),
            environment: site.environment.clone().unwrap_or_default(),
            rollout,
        };
        Self(RefCell::new(Progress::new(console, title)))
    }

    pub(crate) fn done(self, rollout: &Rollout, exit: Exit) {
        self.0.into_inner().done(rollout, now(), exit as u8);
    }
}

impl Audience for Watching<'_> {
    fn event(&self, rollout: &Rollout, at: Stamp, event: &Event) {
        self.0.borrow_mut().event(rollout, at, event);
    }

    fn glimpse(&self, rollout: &Rollout, seen: &Seen, verdicts: &[Verdict], at: Stamp) {
        self.0.borrow_mut().glimpse(rollout, seen, verdicts, at);
    }
}

pub(crate) fn schema(shown: &Shown) -> Result<Exit> {
    let schema = serde_json::to_string_pretty(spec::schema())?;
    shown.text(&format!("{schema}\n"));
    Ok(Exit::Done)
}

pub(crate) fn config(args: &File, shown: &Shown) -> Result<Exit> {
    let project = Project::load(args)?;
    shown.text(&spec::show(&project.loaded)?);
    Ok(Exit::Done)
}
