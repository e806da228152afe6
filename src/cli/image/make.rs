//! An image that is there, however it came there.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::super::show::Shown;
use super::super::site::{now, variable};
use super::publish::cached;
use super::subject::Subject;
use crate::advice::advice;
use crate::docker;
use crate::image::{self, Builder, Logins, Progress};
use crate::redact::Redactor;
use crate::ui::Steps;

/// How an image came to be in the engine.
pub(crate) enum Made {
    Built,
    Before,
}

impl Made {
    pub(crate) fn in_words(&self, subject: &Subject) -> (&'static str, String) {
        let name = subject.name();
        match self {
            Self::Built => ("built", format!("built {name}")),
            Self::Before => (
                "unchanged",
                format!("nothing to build: the engine has {name}"),
            ),
        }
    }
}

/// Builds what the engine does not have yet, and gives it all of its tags there.
pub(crate) async fn made(subject: &Subject<'_>, shown: &mut Shown) -> Result<Made> {
    let engine = subject.engine().await?;
    let made = match image::is_made(engine, &subject.name(), &subject.content).await? {
        true => Made::Before,
        false => {
            tell_unversioned(subject, shown);
            let builder = Builder::choose(engine, variable("DOCKER_BUILDKIT").as_deref())?;
            let mut recipe = subject.recipe(builder)?;
            if builder == Builder::BuildKit {
                recipe.cache_from = cached(subject).await;
            }
            shown.keep_out(Redactor::new(&recipe.secrets));
            let logins = Logins::new(docker::settings(&variable));
            let work = async |watch: &mut dyn FnMut(Progress)| {
                let by = (builder, logins);
                image::build(engine, &subject.context, &recipe, by, watch).await
            };
            watched(shown, "build", work).await?;
            Made::Built
        }
    };
    image::tag(engine, &subject.name(), subject.repository(), &subject.tags).await?;
    Ok(made)
}

/// As git itself has it, such a file makes no tree dirty: what a build of its own makes there is as
/// good as the commit.
fn tell_unversioned(subject: &Subject, shown: &mut Shown) {
    let paths = subject.unversioned();
    let Some(first) = paths.first() else {
        return;
    };
    let more = match paths.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    shown.note(format!(
        "the image has {first}{more}, which git ignores: no commit says what is in it"
    ));
}

const TICK: Duration = Duration::from_millis(100);

/// Runs while its steps are shown; Ctrl-C drops the work, and so ends it at the engine too.
pub(crate) async fn watched<T>(
    shown: &mut Shown,
    what: &'static str,
    work: impl AsyncFnOnce(&mut dyn FnMut(Progress)) -> Result<T>,
) -> Result<T> {
    let steps = RefCell::new(Steps::new(shown.console(), what));
    let mut watch = |progress: Progress| steps.borrow_mut().progress(&progress, now());
    let done = tokio::select! {
        done = work(&mut watch) => done,
        error = interrupted(what) => Err(error),
        never = ticking(&steps) => match never {},
    };
    steps.into_inner().done(now());
    done
}

async fn ticking(steps: &RefCell<Steps<'_>>) -> std::convert::Infallible {
    loop {
        sleep(TICK).await;
        steps.borrow_mut().tick(now());
    }
}

async fn interrupted(what: &str) -> anyhow::Error {
    let listen = |kind| signal(kind).context("could not listen for Ctrl-C");
    let (mut interrupt, mut terminate) = match (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
    ) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => return error,
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    advice(
        format!("the {what} was interrupted"),
        "the same command goes on with what is done already",
    )
}
