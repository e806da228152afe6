//! Going on where an edge was killed, and the small works of every second.
//!
//! A replica's process is found by what the book says of it or, if it was started and not yet
//! written down, by the marker in its environment. The edge's lock is held by a child between
//! fork and exec too, so whoever holds the lock sees all markers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::sync::{Notify, watch};

use super::{Id, Keeper, now};
use crate::edge::api::Place;
use crate::edge::capture::Keep;
use crate::edge::containers::{self, Containers};
use crate::edge::counts::Counts;
use crate::edge::door::Door;
use crate::edge::home::Home;
use crate::edge::instance::{Identity, Instance};
use crate::edge::logs;
use crate::edge::process::{self, Found, Process};
use crate::edge::secrets::Secrets;
use crate::edge::snapshot::{self, Book, Kept, Running};
use crate::edge::succession::Start;
use crate::edge::table::Table;

/// How long processes that nobody wants have to stop.
const UNWANTED_GRACE: Duration = Duration::from_secs(10);
/// For replies that do not come from replicas: those have ended theirs.
const LAST_REPLIES: Duration = Duration::from_secs(1);
/// Changes within this time are written in one, because each writing waits for the disk.
const IN_ONE: Duration = Duration::from_millis(20);
const EVERY: Duration = Duration::from_secs(1);

impl Keeper {
    /// Replicas that still run are in the table, and are sent requests, when this returns.
    pub(in crate::edge) async fn recover(
        home: Home,
        containers: Option<Containers>,
        start: Start,
    ) -> Result<Rc<Keeper>> {
        let mut book: Book = snapshot::read(&home.snapshot())?;
        book.fence = book.fence.max(snapshot::read(&home.fence())?);
        let unwanted = claim(&mut book, &home)?;
        let left_over = match &containers {
            Some(containers) => claim_containers(&mut book, containers.found().await?),
            None => BTreeSet::new(),
        };
        let keeper = Rc::new(Keeper {
            secrets: Arc::new(Secrets::new(home.secrets())),
            home,
            table: Table::new(),
            containers,
            door: RefCell::new(Door::default()),
            started: now(),
            book: RefCell::new(book),
            unsaved: Notify::new(),
            changes: watch::Sender::new(0),
            tasks: RefCell::default(),
            lock: RefCell::new(Some(start.lock)),
            parting: RefCell::default(),
            series: RefCell::default(),
        });
        keeper.note(&format!(
            "edge {} started: process {}",
            env!("CARGO_PKG_VERSION"),
            std::process::id()
        ));
        keeper.look_at_secrets();
        keeper.table.keep_pairs(Keep {
            folder: keeper.home.pairs(),
            secrets: Arc::clone(&keeper.secrets),
        });
        keeper.hear();
        keeper.carry_out();
        keeper.counts().restore(&keeper.table);
        if let Some(inherited) = start.inherited {
            keeper.inherit(inherited)?;
        }
        keeper.reopen();
        unwanted
            .into_iter()
            .for_each(|found| keeper.end_unwanted(found));
        keeper.spawn(Rc::clone(&keeper).remove_left_over(left_over));
        Ok(keeper)
    }

    /// Containers of replicas that nobody wants any more.
    async fn remove_left_over(self: Rc<Self>, replicas: BTreeSet<String>) {
        let Some(containers) = &self.containers else {
            return;
        };
        for replica in replicas {
            match containers.end(&replica, UNWANTED_GRACE).await {
                Ok(()) => self.note(&format!("{replica} is not wanted any more; removed")),
                Err(error) => self.note(&format!("{replica} cannot be removed: {error:#}")),
            }
        }
    }

    /// `None`: it has ended.
    pub(super) fn take_back(&self, identity: &Identity) -> Option<Instance> {
        match identity {
            Identity::Process(identity) => Process::take_back(*identity).map(Instance::Process),
            // It was seen running when this edge began.
            Identity::Container(id) => {
                let containers = self.containers.as_ref()?;
                let container = containers.container(id.clone());
                Some(Instance::Container(Box::new(container)))
            }
        }
    }

    /// Measures may be lost; replicas must not wait for them.
    fn counts(&self) -> Counts {
        snapshot::read(&self.home.counts()).unwrap_or_else(|error| {
            self.note(&format!("{error:#}; what was counted is lost"));
            Counts::default()
        })
    }

    fn end_unwanted(&self, found: Found) {
        if let Some(process) = Process::take_back(found.identity) {
            self.note(&format!(
                "process {} ({}) is not wanted any more; ended",
                found.identity.pid, found.marker
            ));
            self.spawn(end(process));
        }
    }

    /// The public address, as the book says; tried again each second while it is not free.
    pub(super) fn reopen(&self) {
        let Some(address) = self.book().listen else {
            drop(self.door.take());
            return;
        };
        if let Err(error) = self.open(address) {
            self.note(&format!("{error:#}; tried again each second"));
        }
    }

    pub(in crate::edge) async fn save_changes(self: Rc<Self>) {
        loop {
            self.unsaved.notified().await;
            // Replicas come and go in crowds; one writing does for all.
            tokio::time::sleep(IN_ONE).await;
            let written = snapshot::write(&self.home.snapshot(), &*self.book());
            if let Err(error) = written {
                self.note(&format!("{error:#}"));
            }
        }
    }

    pub(in crate::edge) async fn keep_house(self: Rc<Self>) {
        let mut counts = Counts::default();
        let mut rest = EVERY;
        loop {
            tokio::time::sleep(rest).await;
            self.turn_logs();
            if self.door.borrow().address().is_none() {
                self.reopen();
            }
            let begun = Instant::now();
            counts = self.save_counts(counts).await;
            // With very many conversations this takes time; it must not take all of it.
            rest = EVERY.max(begun.elapsed() * 20);
        }
    }

    /// Away from the control thread, because there may be much to write.
    async fn save_counts(&self, before: Counts) -> Counts {
        let (table, path) = (Arc::clone(&self.table), self.home.counts());
        let save = move || {
            let counts = Counts::of(&table);
            let written = if counts == before {
                Ok(())
            } else {
                snapshot::write_lightly(&path, &counts)
            };
            (counts, written)
        };
        let (counts, written) = tokio::task::spawn_blocking(save)
            .await
            .unwrap_or_else(|_| (Counts::default(), Ok(())));
        if let Err(error) = written {
            self.note(&format!("{error:#}"));
        }
        counts
    }

    fn turn_logs(&self) {
        let replicas = self.ids();
        let paths = replicas
            .iter()
            .map(|id| self.home.replica_log(id))
            .chain([self.home.log()]);
        for path in paths {
            if let Err(error) = logs::turn(&path, logs::LARGEST) {
                self.note(&format!("cannot turn {}: {error}", path.display()));
            }
        }
    }

    /// Resolves when the edge was told to stop and no replica is left, or another one has its place.
    pub(in crate::edge) async fn ended(&self) {
        let mut changes = self.changes();
        let over = || self.book().exit.is_some() && self.ids().is_empty();
        while !over() && !self.is_succeeded() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Leaves only the fence behind: a late order must stay refused.
    pub(in crate::edge) async fn close(&self) -> Result<()> {
        let door = self.door.take();
        let _ = tokio::time::timeout(LAST_REPLIES, door.close()).await;
        snapshot::write(&self.home.fence(), &self.book().fence)?;
        for path in [self.home.snapshot(), self.home.counts(), self.home.socket()] {
            remove(&path)?;
        }
        self.note("edge ended");
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

async fn end(process: Process) {
    process.signal(Signal::TERM);
    if tokio::time::timeout(UNWANTED_GRACE, process.ended())
        .await
        .is_err()
    {
        process.signal(Signal::KILL);
    }
}

/// Writes processes that the book does not know into it, and returns those that nobody wants.
fn claim(book: &mut Book, home: &Home) -> Result<Vec<Found>> {
    let prefix = home.marker();
    let found = process::find(&prefix).context("cannot look for running replicas in /proc")?;
    for leader in found.iter().filter(|found| found.leads_its_group) {
        claim_one(book, leader, &prefix);
    }
    let wanted: BTreeSet<String> = found
        .iter()
        .filter(|found| is_claimed(book, found))
        .map(|found| found.marker.clone())
        .collect();
    // A process that a replica started carries its marker too.
    Ok(found
        .into_iter()
        .filter(|found| !wanted.contains(&found.marker))
        .collect())
}

fn claim_one(book: &mut Book, leader: &Found, prefix: &str) -> Option<()> {
    let id = Id::of_marker(&leader.marker, prefix)?;
    let kept = book.pools.get_mut(&id.pool)?.replicas.get_mut(&id.number)?;
    let is_alive = |running: &Running| match running.identity {
        Identity::Process(identity) => identity.is_alive(),
        Identity::Container(_) => true,
    };
    if !kept.running.as_ref().is_some_and(is_alive) {
        kept.adopt(Running {
            identity: Identity::Process(leader.identity),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, leader.port?)),
            told: None,
        });
    }
    Some(())
}

/// Brings the book to what the engine runs, and returns the replicas that the book does not know.
fn claim_containers(book: &mut Book, found: Vec<containers::Found>) -> BTreeSet<String> {
    let known: Vec<Id> = book
        .pools
        .iter()
        .flat_map(|(pool, kept)| kept.replicas.keys().map(|number| Id::of(pool, *number)))
        .collect();
    for id in &known {
        let name = id.to_string();
        let mut own = found
            .iter()
            .filter(|one| one.replica == name && !one.is_beside);
        claim_container(book, id, own.next());
    }
    let known: BTreeSet<String> = known.iter().map(Id::to_string).collect();
    let all = found.into_iter().map(|one| one.replica);
    all.filter(|replica| !known.contains(replica)).collect()
}

fn claim_container(book: &mut Book, id: &Id, found: Option<&containers::Found>) -> Option<()> {
    let pool = book.pools.get_mut(&id.pool)?;
    let Place::Container(container) = &pool.recipe.place else {
        return None;
    };
    let kept = pool.replicas.get_mut(&id.number)?;
    let address = found.and_then(|one| one.ip.as_ref()?.parse().ok());
    let address = address.map(|ip| SocketAddr::new(ip, container.port));
    let running = found.zip(address).map(|(one, address)| Running {
        identity: Identity::Container(one.id.clone()),
        address,
        told: kept.running.as_ref().and_then(|running| running.told),
    });
    match running {
        Some(running) if kept.running.as_ref() != Some(&running) => kept.adopt(running),
        Some(_) => {}
        None => kept.running = None,
    }
    Some(())
}

fn is_claimed(book: &Book, found: &Found) -> bool {
    let mut kept = book.pools.values().flat_map(|pool| pool.replicas.values());
    kept.any(|kept| {
        kept.running
            .as_ref()
            .is_some_and(|running| running.identity.is_process(found.identity))
    })
}

impl Kept {
    /// It is a later process than the one that the standing was said of.
    fn adopt(&mut self, running: Running) {
        self.running = Some(running);
        if self.is_staying() {
            self.stand(super::Standing::Coming, now());
        }
    }
}

impl Id {
    pub(super) fn of(pool: &str, number: u32) -> Id {
        Id {
            pool: pool.to_owned(),
            number,
        }
    }

    /// The marker is the prefix, then `pool-number#token`.
    fn of_marker(marker: &str, prefix: &str) -> Option<Id> {
        let (name, _) = marker.strip_prefix(prefix)?.rsplit_once('#')?;
        let (pool, number) = name.rsplit_once('-')?;
        Some(Id {
            pool: pool.to_owned(),
            number: number.parse().ok()?,
        })
    }
}
