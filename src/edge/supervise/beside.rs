//! Keeping a replica's sidecars up. A replica is not ready while it lacks one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::life::{Life, Run};
use crate::edge::api::{Container, Place};
use crate::edge::fill::Fill;

/// A sidecar counts as up when it has run for so long.
const STEADY: Duration = Duration::from_secs(1);

/// The sidecars that are not up. Those that have ended tell how.
pub(super) struct Lacking {
    sidecars: RefCell<BTreeMap<String, Option<String>>>,
    changed: Notify,
}

impl Lacking {
    /// None of them has shown yet that it stays.
    pub(super) fn first(place: &Place) -> Self {
        let names = match place {
            Place::Folder(_) => Vec::new(),
            Place::Container(container) => container.sidecars.keys().cloned().collect(),
        };
        Self {
            sidecars: RefCell::new(names.into_iter().map(|name| (name, None)).collect()),
            changed: Notify::new(),
        }
    }

    /// One that has ended comes first.
    pub(super) fn worst(&self) -> Option<Option<String>> {
        let sidecars = self.sidecars.borrow();
        let ended = sidecars
            .iter()
            .find_map(|(name, says)| Some((name, says.as_ref()?)));
        match ended {
            Some((name, says)) => Some(Some(format!("its sidecar {name} {says}"))),
            None => sidecars.first_key_value().map(|_| None),
        }
    }

    /// At once if something has changed since the last call.
    pub(super) async fn changes(&self) {
        self.changed.notified().await;
    }

    fn set(&self, name: &str, says: &str) {
        let (name, says) = (name.to_owned(), says.to_owned());
        self.sidecars.borrow_mut().insert(name, Some(says));
        self.changed.notify_one();
    }

    fn clear(&self, name: &str) {
        self.sidecars.borrow_mut().remove(name);
        self.changed.notify_one();
    }
}

impl Life {
    /// Goes on until it is dropped, which is when the replica itself has ended.
    pub(super) async fn keep_beside(&self, run: &Run) -> Infallible {
        if let Place::Container(container) = &run.recipe.place {
            let names = container.sidecars.keys();
            join_all(names.map(|name| self.keep_one(run, container, name))).await;
        }
        std::future::pending().await
    }

    async fn keep_one(&self, run: &Run, container: &Container, name: &str) -> Infallible {
        let mut backoff = Backoff::default();
        let mut since = Instant::now();
        let mut says = self.sidecar_ends(run, container, name).await;
        loop {
            self.note(&format!("its sidecar {name} {says}"));
            run.lacking.set(name, &says);
            self.count_restart(since.elapsed());
            sleep(backoff.after(since.elapsed())).await;
            since = Instant::now();
            says = match self.start_sidecar(run, container, name).await {
                Ok(()) => self.sidecar_ends(run, container, name).await,
                Err(why) => format!("cannot be started: {why:#}"),
            };
        }
    }

    async fn sidecar_ends(&self, run: &Run, container: &Container, name: &str) -> String {
        let Some(containers) = &self.keeper.containers else {
            return std::future::pending().await;
        };
        let sidecar = containers.beside(container, &self.id.to_string(), name);
        let proves_itself = async {
            sleep(STEADY).await;
            run.lacking.clear(name);
            std::future::pending().await
        };
        tokio::select! {
            says = sidecar.ended() => says,
            says = proves_itself => says,
        }
    }

    async fn start_sidecar(&self, run: &Run, container: &Container, name: &str) -> Result<()> {
        let containers = self.keeper.containers.as_ref();
        let secrets = self.keeper.home.secrets();
        let fill = Fill::new(container.port, &secrets)?;
        let making = self.making(&run.recipe, container, fill);
        let containers = containers.context("this edge has no engine")?;
        containers.start_beside(&making, name).await
    }
}
