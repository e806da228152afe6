//! The keeper: takes orders, writes them down, and sees to it that they come true.
//!
//! Everything here runs on one thread. Orders are carried out in one way only: the book is
//! changed and saved, then `carry_out` brings tasks and table to where the book is. A new edge
//! does the same with the book of the one before it, so recovery is nothing special.

mod backoff;
mod beside;
mod decide;
mod drain;
mod hear;
mod life;
mod recover;
mod succeed;
mod view;

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::api::{Listen, Recipe, ScalePool, Standing, Stop, Traffic};
use super::containers::Containers;
use super::door::Door;
use super::home::Home;
use super::logs;
use super::otlp::Series;
use super::refusal::Refused;
use super::secrets::Secrets;
use super::snapshot::{self, Book, Exit, Hands, Kept, KeptPool};
use super::table::Table;
use decide::{Act, Seen, decide};
use life::Life;
use succeed::Parting;

pub(super) struct Keeper {
    home: Home,
    secrets: Arc<Secrets>,
    table: Arc<Table>,
    /// `None`: this edge keeps processes only.
    containers: Option<Containers>,
    door: RefCell<Door>,
    started: u64,
    book: RefCell<Book>,
    /// The book has changed since it was last written.
    unsaved: Notify,
    changes: watch::Sender<u64>,
    /// What lives as long as this edge keeps replicas.
    tasks: RefCell<JoinSet<()>>,
    /// The folder's; `None`: another edge has it.
    lock: RefCell<Option<File>>,
    parting: RefCell<Option<Parting>>,
    /// What replicas have told of their calls.
    series: RefCell<Series>,
}

/// Names one replica: `support-agent-r13-2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    pool: String,
    number: u32,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.pool, self.number)
    }
}

/// Milliseconds since the epoch.
fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Keeper {
    pub(super) fn scale(self: &Rc<Self>, name: &str, order: ScalePool) -> Result<(), Refused> {
        let replicas = self.seen(name);
        self.order(order.fence, |book| {
            let recipe = Rc::new(order.recipe);
            let pool = book
                .pools
                .entry(name.to_owned())
                .or_insert_with(|| KeptPool::new(Rc::clone(&recipe)));
            pool.recipe = recipe;
            pool.scale(order.replicas, &replicas);
        })
    }

    pub(super) fn traffic(self: &Rc<Self>, order: Traffic) -> Result<(), Refused> {
        self.order(order.fence, |book| book.traffic = order)
    }

    /// Opens the public address; only then is it written down, because it may not be free. Unless
    /// both are done, neither is.
    pub(super) fn listen(self: &Rc<Self>, order: Listen) -> Result<(), Refused> {
        self.take(order.fence)?;
        let done = self
            .open(order.address)
            .map_err(Refused::no_address)
            .and_then(|address| self.order(order.fence, |book| book.listen = address));
        if done.is_err() {
            self.reopen();
        }
        done
    }

    fn open(&self, address: SocketAddr) -> Result<Option<SocketAddr>> {
        let mut door = self.door.borrow_mut();
        door.open(address, &self.table)?;
        Ok(door.address())
    }

    pub(super) fn stop(self: &Rc<Self>, order: Stop) -> Result<(), Refused> {
        self.admit(order.fence)?;
        let seen: BTreeMap<String, Vec<Seen>> = self
            .book()
            .pools
            .keys()
            .map(|name| (name.clone(), self.seen(name)))
            .collect();
        let exit = if order.now {
            Exit::Now
        } else {
            Exit::AfterDraining
        };
        self.change(|book| {
            book.fence = order.fence;
            book.exit = book.exit.max(Some(exit));
            for (name, pool) in &mut book.pools {
                pool.scale(0, &seen[name]);
            }
        })
    }

    /// Refused when a later order was seen, or when the edge is on its way out.
    fn order(self: &Rc<Self>, fence: u64, change: impl FnOnce(&mut Book)) -> Result<(), Refused> {
        self.take(fence)?;
        self.change(|book| {
            book.fence = fence;
            change(book);
        })
    }

    pub(in crate::edge) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        while tasks.try_join_next().is_some() {}
        tasks.spawn_local(task);
    }

    fn take(&self, fence: u64) -> Result<(), Refused> {
        self.admit(fence)?;
        match self.book().exit {
            Some(_) => Err(Refused::ending()),
            None => Ok(()),
        }
    }

    fn admit(&self, fence: u64) -> Result<(), Refused> {
        if self.is_succeeded() {
            return Err(Refused::succeeded());
        }
        let highest = self.book().fence;
        match fence < highest {
            true => Err(Refused::stale(fence, highest)),
            false => Ok(()),
        }
    }

    /// Saved first, then believed, then acted upon.
    fn change(self: &Rc<Self>, change: impl FnOnce(&mut Book)) -> Result<(), Refused> {
        let mut book = self.book().clone();
        change(&mut book);
        snapshot::write(&self.home.snapshot(), &book).map_err(Refused::failed)?;
        *self.book.borrow_mut() = book;
        self.carry_out();
        Ok(())
    }

    /// Safe to repeat: what is as the book says is left alone.
    fn carry_out(self: &Rc<Self>) {
        self.table.set_traffic(&self.book().traffic, now());
        for id in self.ids() {
            match self.kept(&id, |kept| kept.hands.clone()).flatten() {
                Some(hands) => self.show(&id, &hands),
                None => self.bring_to_life(&id),
            }
        }
        self.tidy();
        self.changed();
    }

    fn show(&self, id: &Id, hands: &Hands) {
        if let (Some(placed), Some(standing)) = (&hands.placed, self.standing(id)) {
            placed.stand(standing);
        }
        hands.poke.notify_one();
    }

    fn bring_to_life(self: &Rc<Self>, id: &Id) {
        self.kept(id, |kept| kept.hands = Some(Hands::default()));
        if let Some(life) = Life::new(Rc::clone(self), id.clone()) {
            self.spawn(life.live());
        }
    }

    /// A pool that has nothing left is forgotten, and so is what was measured of it.
    fn tidy(&self) {
        let mut book = self.book.borrow_mut();
        let shares = book.traffic.shares.clone();
        book.pools.retain(|name, pool| {
            let keep = pool.wanted > 0
                || !pool.replicas.is_empty()
                || shares.get(name).is_some_and(|&share| share > 0);
            if !keep {
                self.table.forget(name);
            }
            keep
        });
    }

    fn book(&self) -> Ref<'_, Book> {
        self.book.borrow()
    }

    fn kept<R>(&self, id: &Id, act: impl FnOnce(&mut Kept) -> R) -> Option<R> {
        let mut book = self.book.borrow_mut();
        Some(act(book
            .pools
            .get_mut(&id.pool)?
            .replicas
            .get_mut(&id.number)?))
    }

    fn standing(&self, id: &Id) -> Option<Standing> {
        self.kept(id, |kept| kept.standing)
    }

    fn recipe(&self, id: &Id) -> Option<Rc<Recipe>> {
        Some(Rc::clone(&self.book().pools.get(&id.pool)?.recipe))
    }

    fn hurries(&self) -> bool {
        self.book().exit == Some(Exit::Now)
    }

    fn ids(&self) -> Vec<Id> {
        let book = self.book();
        let numbers = book
            .pools
            .iter()
            .flat_map(|(name, pool)| pool.replicas.keys().map(move |number| (name, number)));
        numbers
            .map(|(pool, &number)| Id {
                pool: pool.clone(),
                number,
            })
            .collect()
    }

    fn ports(&self) -> BTreeSet<u16> {
        let book = self.book();
        let replicas = book.pools.values().flat_map(|pool| pool.replicas.values());
        replicas
            .filter_map(|kept| Some(kept.running.as_ref()?.address.port()))
            .collect()
    }

    fn seen(&self, pool: &str) -> Vec<Seen> {
        let book = self.book();
        let replicas = book
            .pools
            .get(pool)
            .into_iter()
            .flat_map(|pool| &pool.replicas);
        replicas
            .map(|(&number, kept)| Seen {
                number,
                standing: kept.standing,
                conversations: kept.conversations(),
            })
            .collect()
    }

    /// A fact about a replica, as opposed to an order: it may be written down a little later.
    fn changed(&self) {
        self.unsaved.notify_one();
        self.changes.send_modify(|count| *count += 1);
    }

    /// Those that a replica is started with: another value may have taken their place before they are
    /// asked for. What cannot be read now cannot be read then, and is told there.
    fn look_at_secrets(&self) {
        let _ = self.secrets.redactor();
    }

    pub(in crate::edge) fn note(&self, line: &str) {
        logs::note(&self.home.log(), line);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// An address of a ready replica, the wanted one or that with the fewest open requests, and its
    /// number.
    pub(super) fn ready_one(&self, pool: &str, wanted: Option<u32>) -> Option<(u32, SocketAddr)> {
        let book = self.book();
        let replicas = book.pools.get(pool)?.replicas.values();
        let placed = replicas.filter_map(|kept| kept.hands.as_ref()?.placed.as_ref());
        let ready = placed.filter(|replica| replica.standing() == Standing::Ready);
        let another = |number: u32| wanted.is_some_and(|wanted| wanted != number);
        let chosen = ready.min_by_key(|replica| (another(replica.number()), replica.open()))?;
        Some((chosen.number(), chosen.address()))
    }
}

impl KeptPool {
    fn new(recipe: Rc<Recipe>) -> KeptPool {
        KeptPool {
            wanted: 0,
            recipe,
            replicas: BTreeMap::new(),
        }
    }

    fn scale(&mut self, wanted: u32, seen: &[Seen]) {
        self.wanted = wanted;
        for act in decide(wanted, seen) {
            self.act(act);
        }
    }

    fn act(&mut self, act: Act) {
        let now = now();
        match act {
            Act::Start(number) => {
                self.replicas.insert(number, Kept::new(now));
            }
            Act::TakeBack(number) => self.stand(number, Standing::Ready, now),
            Act::Leave(number) => self.leave(number, now),
        }
    }

    /// What is not ready has no conversations to wait for.
    fn leave(&mut self, number: u32, now: u64) {
        let ready = self
            .replicas
            .get(&number)
            .is_some_and(|kept| kept.standing == Standing::Ready);
        self.stand(
            number,
            if ready {
                Standing::Leaving
            } else {
                Standing::Stopping
            },
            now,
        );
    }

    fn stand(&mut self, number: u32, standing: Standing, now: u64) {
        if let Some(kept) = self.replicas.get_mut(&number) {
            kept.stand(standing, now);
        }
    }
}

impl Kept {
    fn conversations(&self) -> u64 {
        let placed = self.hands.as_ref().and_then(|hands| hands.placed.as_ref());
        placed.map_or(0, |replica| replica.conversations())
    }
}
