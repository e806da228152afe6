//! Between the verbs and the `ui` room: facts about this process's terminal, and the engine's
//! audience.

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::args::{self, File};
use super::exit::Exit;
use super::journaled::Journaled;
use super::site::{Project, Site, now};
use crate::advice::with_hint;
use crate::analysis::Verdict;
use crate::engine::{Audience, because};
use crate::journal;
use crate::notify::Outbox;
use crate::redact::Redactor;
use crate::release::ReleaseId;
use crate::rollout::{Event, Plan, Rollout, Stamp};
use crate::spec::{self, Problem};
use crate::target::{Seen, SeenRelease};
use crate::ui::{Color, Console, Output, PlanView, Progress, Reader, Title, Wishes};

const SECOND: Duration = Duration::from_secs(1);

/// What still lies in a box of messages is waited for this long at the end.
const TELLING: Duration = Duration::from_secs(10);

pub(crate) struct Shown(Console, Vec<Outbox>);

#[derive(Serialize)]
struct Answer {
    outcome: &'static str,
    exit: u8,
    #[serde(flatten)]
    more: Value,
}

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
        Self(Console::new(wishes, reader, out, err), Vec::new())
    }

    pub(crate) fn console(&mut self) -> &mut Console {
        &mut self.0
    }

    /// Messages are under way until [`Self::all_told`].
    pub(crate) fn tells(&mut self, outbox: Outbox) {
        self.1.push(outbox);
    }

    pub(crate) fn all_told(&mut self) {
        for outbox in std::mem::take(&mut self.1) {
            for undelivered in outbox.close(TELLING) {
                self.warn(&undelivered);
            }
        }
    }

    pub(crate) fn note(&mut self, text: impl AsRef<str>) {
        self.0.note(text.as_ref());
    }

    /// For who asked for more.
    pub(crate) fn detail(&mut self, text: impl AsRef<str>) {
        self.0.detail(text.as_ref());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.text(text);
    }

    pub(crate) fn is_json(&self) -> bool {
        self.0.is_json()
    }

    pub(crate) fn json(&mut self, name: &str, value: Value) {
        self.0.json(&json!({ name: value }));
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.0.warn(text);
    }

    pub(crate) fn warnings(&mut self, warnings: &[Problem]) {
        for warning in warnings {
            self.0.warn(&warning.render());
        }
    }

    pub(crate) fn keep_out(&mut self, redactor: Redactor) {
        self.0.keep_out(redactor);
    }

    pub(crate) fn error(&mut self, error: anyhow::Error, exit: Exit) {
        let error = match journal::hint(&error) {
            Some(hint) => with_hint(error, hint),
            None => error,
        };
        self.0.error(&error, exit as u8);
    }

    /// What a verb that did what it was asked for came to, with more about it for programs.
    pub(crate) fn result(&mut self, outcome: &'static str, says: impl AsRef<str>, more: Value) {
        self.result_with(outcome, Exit::Done, says.as_ref(), more);
    }

    /// The same of one that may come to nothing good.
    pub(crate) fn result_with(
        &mut self,
        outcome: &'static str,
        exit: Exit,
        says: &str,
        more: Value,
    ) {
        let exit = exit as u8;
        let result = Answer {
            outcome,
            exit,
            more,
        };
        self.0.result(says, &result);
    }

    /// What was decided before anything follows from it.
    pub(crate) fn decision(
        &mut self,
        about: &str,
        outcome: &'static str,
        says: &str,
        mut more: Value,
    ) {
        more["outcome"] = json!(outcome);
        match self.is_json() {
            true => self.json("decision", more),
            false => self.0.happened(now(), about, says),
        }
    }

    /// `changed`: that nothing did, or nothing else.
    pub(crate) fn nothing_changed(
        &mut self,
        site: &Site,
        changed: &str,
        release: ReleaseId,
        seen: &Seen,
    ) -> Exit {
        let url = seen.url.as_deref();
        let at = url.map(|url| format!(" at {url}")).unwrap_or_default();
        let side = seen.releases.get(&release).cloned().unwrap_or_default();
        let (exit, says) = match (side.ready, side.wanted) {
            (0, 1..) => (
                Exit::Stalled,
                format!("but {release} of {} is not live", site.name()),
            ),
            _ => (
                Exit::Done,
                format!("{release} of {} is live{at}", site.name()),
            ),
        };
        let says = match (exit, lacking(release, &side)) {
            (Exit::Done, None) => format!("{changed}: {says}"),
            (Exit::Done, Some(lacking)) => format!("{changed}: {says}, {lacking}"),
            (_, lacking) => format!("{changed}, {says}: {}", lacking.unwrap_or_default()),
        };
        let more = json!({ "release": release, "url": url });
        self.result_with("unchanged", exit, &says, more);
        exit
    }

    /// How a rollout ended that another process walked.
    pub(crate) fn ended(&mut self, site: &Site, past: &Journaled, seen: &Seen, exit: Exit) {
        let title = title(site, past.number);
        self.0.ended(&title, &past.rollout, seen, now(), exit as u8);
    }

    pub(crate) fn plan(&mut self, site: &Site, plan: &Plan, changes: &[String]) {
        let view = PlanView {
            agent: &site.agent,
            environment: site.environment.as_deref(),
            changes,
            plan,
        };
        self.0.show(&view, now());
    }
}

/// `0 of 3 replicas are ready: r8-1 exited with status 1`.
fn lacking(release: ReleaseId, side: &SeenRelease) -> Option<String> {
    let because = because(release, side);
    let says = format!(
        "{} of {} replicas are ready{because}",
        side.ready, side.wanted
    );
    (side.ready < side.wanted).then_some(says)
}

pub(crate) fn title(site: &Site, rollout: u64) -> Title {
    Title {
        agent: site.agent.clone(),
        environment: site.environment.clone(),
        rollout,
    }
}

/// The engine's audience while one rollout runs.
pub(crate) struct Watching<'a>(RefCell<Progress<'a>>);

impl<'a> Watching<'a> {
    pub(crate) fn new(console: &'a mut Console, title: Title, rollout: &Rollout) -> Self {
        Self(RefCell::new(Progress::new(console, title, rollout)))
    }

    /// A clock that ticks also while nothing is seen; it never ends.
    pub(crate) async fn ticking(&self) -> Infallible {
        loop {
            sleep(SECOND).await;
            self.0.borrow_mut().tick(now());
        }
    }

    pub(crate) fn done(self, rollout: &Rollout, seen: &Seen, exit: Exit) {
        self.0.into_inner().done(rollout, seen, now(), exit as u8);
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

pub(crate) fn schema(shown: &mut Shown) -> Result<Exit> {
    let schema = serde_json::to_string_pretty(spec::schema())?;
    shown.text(&format!("{schema}\n"));
    Ok(Exit::Done)
}

pub(crate) fn config(args: &File, shown: &mut Shown) -> Result<Exit> {
    let project = Project::load(args)?;
    match shown.is_json() {
        true => shown.json("config", serde_json::to_value(&project.loaded.spec)?),
        false => shown.text(&spec::show(&project.loaded)?),
    }
    Ok(Exit::Done)
}
