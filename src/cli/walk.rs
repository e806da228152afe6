//! Walking a rollout under the lease, with Ctrl-C heard.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::exit::{Exit, left_standing};
use super::lease::Lease;
use super::show::{Shown, Watching, title};
use super::site::{Site, now};
use super::tell::{self, Told};
use crate::advice::in_a_line;
use crate::analysis::Sources;
use crate::engine::{self, Audience, Engine, Interrupt, Judging, Kept, Noted};
use crate::journal::Store;
use crate::notify::Herald;
use crate::redact::Redactor;
use crate::release::{Release, ReleaseId};
use crate::rollout::{Event, Outcome, Plan, Rollout};
use crate::spec::Notify;
use crate::target::secrets::Values;
use crate::target::{Any, Target};
use crate::ui;

/// A rollout that is about to be walked, by whom it may be.
pub(crate) struct Walk<'a, S> {
    pub(crate) site: &'a Site,
    pub(crate) target: &'a Any,
    pub(crate) store: &'a S,
    pub(crate) lease: &'a Lease,
    pub(crate) shown: &'a mut Shown,
    /// Of secrets.
    pub(crate) values: &'a Values,
    /// Who is told; `None`: as the last deploy said.
    pub(crate) notify: Option<&'a Notify>,
    pub(crate) number: u64,
    /// What the process will exit with.
    pub(crate) exit: fn(&Outcome) -> Exit,
    /// What Ctrl-C or SIGTERM means, one after the other.
    pub(crate) signals: &'static [Interrupt],
}

/// The first undoes, the second leaves it standing.
pub(crate) const BY_HAND: &[Interrupt] = &[Interrupt::Abort, Interrupt::Leave];
/// Of a pod: another goes on with it.
pub(crate) const AS_JOB: &[Interrupt] = &[Interrupt::Leave];

/// Without one of its services an agent may still be undone, so that stops no walk.
pub(crate) async fn wake_beside(target: &Any, shown: &mut Shown) {
    if let Err(error) = target.wake_beside().await {
        shown.warn(&format!(
            "a service could not be started: {}",
            in_a_line(&error)
        ));
    }
}

/// Going back brings no service back that was removed, and at night it has to work all the same.
pub(crate) async fn warn_of_gone(target: &Any, release: &Release, shown: &mut Shown) {
    match target.gone_beside(&release.beside).await {
        Ok(gone) if gone.is_empty() => {}
        Ok(gone) => shown.warn(&goes_without(release.id, &gone)),
        Err(error) => shown.warn(&format!(
            "what stands beside it could not be looked at: {}",
            in_a_line(&error)
        )),
    }
}

fn goes_without(release: ReleaseId, gone: &[String]) -> String {
    format!(
        "{release} was deployed beside {}, removed since; agentctl deploy with the agent.toml of then \
         brings that back",
        gone.join(", ")
    )
}

impl<S: Store> Walk<'_, S> {
    pub(crate) async fn new_rollout(self, plan: Plan) -> Result<Outcome> {
        self.new_rollout_then(plan, async |_| ()).await
    }

    /// `then` is done before it is told what the rollout came to.
    pub(crate) async fn new_rollout_then(
        self,
        mut plan: Plan,
        then: impl AsyncFnOnce(&Outcome),
    ) -> Result<Outcome> {
        let at = now();
        plan.by.clone_from(&self.lease.who);
        let rollout = engine::begin(self.store, &self.lease.hold, self.number, at, plan).await?;
        self.walk(rollout, Vec::new(), then).await
    }

    /// Goes on where another process ended; `then` is what a person wants of it.
    pub(crate) async fn resumed(self, rollout: Rollout, then: Option<Event>) -> Result<Outcome> {
        let resumed = Event::Resumed(self.lease.who.clone());
        let events = [Some(resumed), then].into_iter().flatten().collect();
        self.walk(rollout, events, async |_| ()).await
    }

    /// What a pod keeps is gone with it.
    fn evidence(&self) -> Result<Option<PathBuf>> {
        let is_pods = self.signals == AS_JOB;
        let dir = (!is_pods).then(|| self.site.dir()).transpose()?;
        Ok(dir.map(|dir| dir.evidence(self.number)))
    }

    async fn walk(
        mut self,
        rollout: Rollout,
        first: Vec<Event>,
        then: impl AsyncFnOnce(&Outcome),
    ) -> Result<Outcome> {
        let older = self.target.all_values().await?;
        let older = older.iter().map(|(name, value)| (name, value));
        let redactor = Redactor::of(older.chain(self.values));
        self.shown.keep_out(redactor.clone());
        let herald = self.herald(&rollout, &redactor).await?;
        if let Some(herald) = herald.as_ref().filter(|_| first.is_empty()) {
            herald.started(&rollout, now());
        }
        let sources = Sources {
            values: self.values.clone(),
            folder: rollout.plan().folder.clone().into(),
        };
        let evidence = self.evidence()?;
        let title = title(self.site, self.number);
        let watching = Watching::new(self.shown.console(), title, &rollout);
        let planned = Event::Planned(Box::new((**rollout.plan()).clone()));
        watching.event(&rollout, now(), &planned);
        let told = Told { watching, herald };
        let mut engine = Engine {
            target: self.target,
            store: self.store,
            hold: &self.lease.hold,
            audience: &told,
            clock: &now,
            interrupts: interrupts(self.signals)?,
            redactor: &redactor,
            sources: &sources,
            who: self.lease.who.clone(),
            evidence,
            number: self.number,
            rollout,
            noted: Noted::default(),
            judging: Judging::default(),
            kept: Kept::default(),
        };
        let next = ui::next(&engine.rollout);
        self.lease.begins(self.number, next);
        let walked = tokio::select! {
            walked = engine.walk(first) => walked,
            never = told.watching.ticking() => match never {},
        };
        self.lease.ends();
        let rollout = engine.rollout;
        if let Ok(outcome) = &walked {
            then(outcome).await;
        }
        let exit = match &walked {
            Ok(outcome) => (self.exit)(outcome),
            Err(_) => Exit::Stalled,
        };
        let seen = self.target.observe().await.unwrap_or_default();
        told.watching.done(&rollout, &seen, exit);
        walked.map_err(|error| left_standing(error, self.number, ui::next(&rollout)))
    }
}

impl<S: Store> Walk<'_, S> {
    /// Nobody is told of a release that is only scaled.
    async fn herald(&mut self, rollout: &Rollout, redactor: &Redactor) -> Result<Option<Herald>> {
        let notify = match self.notify {
            Some(notify) => Some(notify.clone()),
            None => tell::kept(self.store).await?,
        };
        let Some(notify) = notify.filter(|_| !rollout.plan().is_scale()) else {
            return Ok(None);
        };
        match tell::open(&notify, self.values) {
            Ok(outbox) => {
                let herald =
                    tell::herald(self.site, self.number, notify, &outbox, redactor.clone());
                self.shown.tells(outbox);
                Ok(Some(herald))
            }
            Err(why) => {
                self.shown.warn(&why);
                Ok(None)
            }
        }
    }
}

fn interrupts(signals: &'static [Interrupt]) -> Result<watch::Receiver<Option<Interrupt>>> {
    let (send, receive) = watch::channel(None);
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    tokio::task::spawn_local(async move {
        for said in signals {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            send.send_replace(Some(*said));
        }
    });
    Ok(receive)
}
