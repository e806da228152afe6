//! The life of one replica: started, watched, started again, drained, gone.
//!
//! Each replica has one task. It reads what is wanted of it from the book and is poked when an
//! order has changed that; nobody else touches its process or container.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::backoff::{Backoff, LONGEST_DELAY, in_a_row};
use super::beside::Lacking;
use super::{Id, Keeper, now};
use crate::edge::api::{self, Place, Recipe, Standing};
use crate::edge::containers::Making;
use crate::edge::fill::Fill;
use crate::edge::health::{Verdict, Watcher};
use crate::edge::instance::Instance;
use crate::edge::launch::{Launch, free_port};
use crate::edge::logs;
use crate::edge::replica::Replica;
use crate::edge::snapshot::Running;

pub(super) struct Life {
    pub(super) keeper: Rc<Keeper>,
    pub(super) id: Id,
    pub(super) poke: Rc<Notify>,
    /// What an earlier edge had started.
    found: Option<Run>,
}

/// One process of the replica, or one run of its container.
pub(super) struct Run {
    pub(super) instance: Instance,
    pub(super) placed: Arc<Replica>,
    pub(super) recipe: Rc<Recipe>,
    born: Instant,
    first_ready: Cell<Option<Instant>>,
    /// Why it had to be ended although it is wanted.
    sick: RefCell<Option<String>>,
    pub(super) lacking: Lacking,
}

struct End {
    says: String,
    was_ready_for: Duration,
}

impl Life {
    /// Takes the replica's process back if it has one that runs: before this returns, it can be
    /// sent requests. `None`: there is no such replica.
    pub(super) fn new(keeper: Rc<Keeper>, id: Id) -> Option<Life> {
        let poke = keeper
            .kept(&id, |kept| Some(Rc::clone(&kept.hands.as_ref()?.poke)))
            .flatten()?;
        let mut life = Life {
            keeper,
            id,
            poke,
            found: None,
        };
        life.found = life.take_back();
        Some(life)
    }

    fn take_back(&self) -> Option<Run> {
        let running = self
            .keeper
            .kept(&self.id, |kept| kept.running.clone())
            .flatten()?;
        let instance = self.keeper.take_back(&running.identity)?;
        self.note(&format!(
            "taken back: {}, {}",
            running.identity, running.address
        ));
        self.place(instance, running)
    }

    pub(super) async fn live(mut self) {
        let mut backoff = Backoff::default();
        while let Some(end) = self.run().await {
            self.rest(&end, backoff.after(end.was_ready_for)).await;
        }
        self.clear_away().await;
        self.keeper.gone(&self.id);
    }

    /// A container stays, with what it wrote, until its replica is given up.
    async fn clear_away(&self) {
        let Some(containers) = &self.keeper.containers else {
            return;
        };
        while let Err(error) = containers.remove(&self.id.to_string()).await {
            self.note(&format!("cannot be removed, tried again: {error:#}"));
            sleep(LONGEST_DELAY).await;
        }
    }

    /// `None`: it is not wanted any more.
    async fn run(&mut self) -> Option<End> {
        let run = match self.found.take() {
            Some(run) => Ok(run),
            None if self.stays() => self.start().await,
            None => return None,
        };
        let end = match run {
            Ok(run) => self.attend(&run).await,
            Err(why) => End {
                says: format!("{why:#}"),
                was_ready_for: Duration::ZERO,
            },
        };
        self.stays().then_some(end)
    }

    async fn start(&self) -> Result<Run> {
        let recipe = self.keeper.recipe(&self.id).context("its pool is gone")?;
        self.keeper.look_at_secrets();
        let (instance, address) = match &recipe.place {
            Place::Folder(dir) => self.start_process(&recipe, dir)?,
            Place::Container(container) => self.start_container(&recipe, container).await?,
        };
        let running = Running {
            identity: instance.identity(),
            address,
            told: None,
        };
        self.note(&format!("started: {}, {address}", running.identity));
        self.keeper.stand(&self.id, Standing::Coming, None);
        self.place(instance, running).context("its pool is gone")
    }

    fn start_process(&self, recipe: &Recipe, dir: &Path) -> Result<(Instance, SocketAddr)> {
        let keeper = &self.keeper;
        let log = keeper.home.replica_log(&self.id);
        if self.is_first_start() {
            // A full disk must not keep a replica from starting.
            let _ = logs::begin(&log);
        }
        let port = free_port(&keeper.ports()).context("no free port")?;
        let launch = Launch {
            recipe,
            dir,
            number: self.id.number,
            port,
            marker: format!("{}{}#{:x}", keeper.home.marker(), self.id, now()),
            log: &log,
            telling: keeper.telling(&self.id, |name| recipe.env.contains_key(name)),
            secrets: &keeper.home.secrets(),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok((Instance::Process(launch.start()?), address))
    }

    fn is_first_start(&self) -> bool {
        self.keeper.kept(&self.id, |kept| kept.restarts) == Some(0)
    }

    async fn start_container(
        &self,
        recipe: &Recipe,
        container: &api::Container,
    ) -> Result<(Instance, SocketAddr)> {
        let containers = self.keeper.containers.as_ref();
        let secrets = self.keeper.home.secrets();
        let making = self.making(recipe, container, Fill::new(container.port, &secrets)?);
        let containers = containers.context("this edge has no engine to start containers on")?;
        let (container, address) = containers.start(&making).await?;
        Ok((Instance::Container(Box::new(container)), address))
    }

    pub(super) fn making<'a>(
        &self,
        recipe: &'a Recipe,
        container: &'a api::Container,
        fill: Fill<'a>,
    ) -> Making<'a> {
        Making {
            recipe,
            container,
            replica: self.id.to_string(),
            number: self.id.number,
            telling: self
                .keeper
                .telling(&self.id, |name| recipe.env.contains_key(name)),
            fill,
        }
    }

    fn place(&self, instance: Instance, running: Running) -> Option<Run> {
        let recipe = self.keeper.recipe(&self.id)?;
        let (address, lacking) = (running.address, Lacking::first(&recipe.place));
        let (standing, since) = self
            .keeper
            .kept(&self.id, |kept| (kept.standing, kept.since))?;
        let idle = Duration::from_millis(recipe.drain.idle);
        let placed = self
            .keeper
            .table
            .add(&self.id.pool, self.id.number, address, standing, idle);
        self.keeper.kept(&self.id, |kept| {
            kept.running = Some(running);
            if let Some(hands) = &mut kept.hands {
                hands.placed = Some(Arc::clone(&placed));
            }
        });
        self.keeper.changed();
        let age = Duration::from_millis(now().saturating_sub(since));
        let born = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        let first_ready = Cell::new((standing == Standing::Ready).then_some(born));
        Some(Run {
            instance,
            placed,
            recipe,
            born,
            first_ready,
            sick: RefCell::default(),
            lacking,
        })
    }

    async fn attend(&self, run: &Run) -> End {
        let ended = tokio::select! {
            biased;
            ended = run.instance.ended() => ended,
            never = self.tend(run) => match never {},
            never = self.keep_beside(run) => match never {},
        };
        self.keeper.table.remove(&run.placed);
        self.keeper.unplace(&self.id);
        self.note(&ended);
        let says = match run.sick.take() {
            Some(why) => format!("{why}, so it was ended: {ended}"),
            None => ended,
        };
        End {
            says,
            was_ready_for: run
                .first_ready
                .get()
                .map_or(Duration::ZERO, |at| at.elapsed()),
        }
    }

    /// Goes on until the process has ended.
    async fn tend(&self, run: &Run) -> Infallible {
        while !self.was_told() {
            let sick = tokio::select! {
                why = self.watch(run) => Some(why),
                () = self.leaves() => None,
            };
            if let Some(why) = sick {
                self.keeper
                    .stand(&self.id, Standing::Unready, Some(why.clone()));
                run.sick.replace(Some(why));
                break;
            }
            if self.empties(run).await {
                break;
            }
        }
        self.end(run).await
    }

    /// Returns why it cannot go on as it is.
    async fn watch(&self, run: &Run) -> String {
        let standing = self.keeper.standing(&self.id).unwrap_or(Standing::Coming);
        let mut watcher =
            Watcher::new(&run.recipe.health, run.placed.address(), standing, run.born);
        loop {
            if self.lacks(run, &mut watcher).await {
                continue;
            }
            match watcher.look().await {
                Verdict::Same => {}
                Verdict::Ready => self.is_ready(run),
                Verdict::Unready(why) => self.keeper.stand(&self.id, Standing::Unready, Some(why)),
                Verdict::Sick(why) => return why,
            }
            tokio::select! {
                () = sleep(watcher.pause()) => {}
                () = run.lacking.changes() => {}
                () = run.placed.failing() => {
                    self.keeper.stand(&self.id, Standing::Unready, Some("the proxy could not reach it".into()));
                    watcher.doubt();
                }
            }
        }
    }

    /// True after a change of what it lacks.
    async fn lacks(&self, run: &Run, watcher: &mut Watcher<'_>) -> bool {
        let Some(says) = run.lacking.worst() else {
            return false;
        };
        if says.is_some() {
            self.keeper.stand(&self.id, Standing::Unready, says);
            watcher.doubt();
        }
        run.lacking.changes().await;
        true
    }

    fn is_ready(&self, run: &Run) {
        run.first_ready
            .set(run.first_ready.get().or_else(|| Some(Instant::now())));
        self.keeper.stand(&self.id, Standing::Ready, None);
    }

    /// Waits before it is started again.
    async fn rest(&self, end: &End, delay: Duration) {
        self.note(&format!(
            "starts again in {}",
            humantime::format_duration(delay)
        ));
        self.count_restart(end.was_ready_for);
        self.keeper
            .stand(&self.id, Standing::Unready, Some(end.says.clone()));
        tokio::select! {
            () = sleep(delay) => {}
            () = self.leaves() => {}
        }
    }

    pub(super) fn count_restart(&self, was_well_for: Duration) {
        self.keeper.kept(&self.id, |kept| {
            kept.restarts = in_a_row(kept.restarts, was_well_for);
        });
    }

    pub(super) fn stays(&self) -> bool {
        self.keeper
            .kept(&self.id, |kept| kept.is_staying())
            .unwrap_or(false)
    }

    async fn leaves(&self) {
        while self.stays() {
            self.poke.notified().await;
        }
    }

    pub(super) fn note(&self, line: &str) {
        self.keeper.note(&format!("{}: {line}", self.id));
    }
}
