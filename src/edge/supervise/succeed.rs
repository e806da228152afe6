//! Giving way to a successor, and taking over from a predecessor.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream as StdStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;

use super::{Id, Keeper};
use crate::edge::counts::Counts;
use crate::edge::is_first;
use crate::edge::proxy::Server;
use crate::edge::refusal::Refused;
use crate::edge::replica::Replica;
use crate::edge::snapshot;
use crate::edge::succession::{self, Inherited};
use crate::edge::table::Guests;

/// How often a successor hears who is left.
const TOLD_EVERY: Duration = Duration::from_millis(20);

/// What an edge is that has given its place away, until its last reply has ended.
pub(super) struct Parting {
    heir: StdStream,
    server: Option<Server>,
}

impl Keeper {
    pub(in crate::edge) fn is_succeeded(&self) -> bool {
        self.parting.borrow().is_some() || self.lock.borrow().is_none()
    }

    /// All of it or nothing: what is given away is held no longer.
    pub(in crate::edge) fn give_way(self: &Rc<Self>) -> Result<(), Refused> {
        self.take(self.book().fence)?;
        let heir = succession::heir(&self.home).map_err(|error| Refused::no_heir(error.into()))?;
        self.save_all().map_err(Refused::failed)?;
        self.tasks.borrow_mut().abort_all();
        let given = {
            let (lock, door) = (self.lock.borrow(), self.door.borrow());
            let lock = lock.as_ref().ok_or_else(Refused::succeeded)?;
            succession::give(&heir, lock, door.socket())
        };
        given.map_err(|error| Refused::no_heir(error.into()))?;
        self.part(heir);
        Ok(())
    }

    fn save_all(&self) -> Result<()> {
        snapshot::write(&self.home.snapshot(), &*self.book())?;
        snapshot::write_lightly(&self.home.counts(), &Counts::of(&self.table))
    }

    fn part(&self, heir: StdStream) {
        let resting = self.door.borrow_mut().rest();
        let address = resting
            .as_ref()
            .and_then(|(open, _)| open.local_addr().ok());
        if let Some(address) = address {
            self.table.hand_over(reached(address));
        }
        // Counted once no claim is given any more. If it is not heard, the heir is gone, as shows soon.
        let _ = (&heir).write_all(&line(&self.table.guests()));
        let server = resting.map(|(_, server)| server);
        self.parting.replace(Some(Parting { heir, server }));
        self.lock.take();
        self.note("gave its place to another edge");
        self.changed();
    }

    /// Resolves when the last reply has ended that began here.
    pub(in crate::edge) async fn fade(&self) {
        let Some(Parting { heir, server }) = self.parting.take() else {
            return;
        };
        let faded = async {
            if let Some(server) = server {
                server.fade().await;
            }
        };
        let mut faded = std::pin::pin!(faded);
        tokio::select! {
            () = &mut faded => {}
            _ = self.tell_guests(heir) => {
                self.note("the edge that took over is gone");
                // A container is started again when its first process ends, and serves again.
                if !is_first() {
                    faded.await;
                }
            }
        }
        self.note("edge ended: its last reply has");
    }

    /// Until nobody listens.
    async fn tell_guests(&self, heir: StdStream) -> io::Result<()> {
        heir.set_nonblocking(true)?;
        let mut heir = UnixStream::from_std(heir)?;
        let mut told = self.table.guests();
        loop {
            tokio::select! {
                () = tokio::time::sleep(TOLD_EVERY) => {}
                // It never says anything.
                _ = heir.read_u8() => return Ok(()),
            }
            let now = self.table.guests();
            if told != now {
                heir.write_all(&line(&now)).await?;
                told = now;
            }
        }
    }

    /// The container would end with its first process; the last edge in it ends it.
    pub(in crate::edge) async fn outlast(&self) -> Result<()> {
        if !is_first() {
            return Ok(());
        }
        let lock = File::open(self.home.lock())?;
        tokio::task::spawn_blocking(move || lock.lock()).await??;
        Ok(())
    }

    pub(super) fn inherit(self: &Rc<Self>, from: Inherited) -> Result<()> {
        self.note("took the place of another edge");
        let mut held = Held::default();
        self.hold(&mut held, &from.first);
        if let Some(listener) = from.listener {
            self.door.borrow_mut().adopt(listener, &self.table)?;
        }
        self.spawn(Rc::clone(self).host_guests(held, from.guests));
        Ok(())
    }

    /// Requests of the predecessor's count as open, so that no replica is stopped under them.
    async fn host_guests(self: Rc<Self>, mut held: Held, mut lines: Lines<BufReader<UnixStream>>) {
        while let Ok(Some(line)) = lines.next_line().await {
            self.hold(
                &mut held,
                &serde_json::from_str::<Vec<_>>(&line).unwrap_or_default(),
            );
        }
        self.hold(&mut held, &[]);
        self.note("the edge before this one has ended");
        // In the same container, it was no other one that it served from.
        if let Some(containers) = self.containers.as_ref().filter(|_| is_first()) {
            containers.remove_predecessor().await;
        }
    }

    fn hold(&self, held: &mut Held, guests: &[Guests]) {
        for guests in guests {
            let id = Id::of(&guests.pool, guests.number);
            if let Some(replica) = self.placed(&id).filter(|_| !held.contains_key(&id)) {
                held.insert(id, (replica, 0));
            }
        }
        for (id, (replica, count)) in held.iter_mut() {
            let theirs = |guests: &&Guests| guests.pool == id.pool && guests.number == id.number;
            let open = guests.iter().find(theirs).map_or(0, |guests| guests.open);
            (*count..open).for_each(|_| replica.claim());
            (open..*count).for_each(|_| replica.free());
            *count = open;
        }
    }

    fn placed(&self, id: &Id) -> Option<Arc<Replica>> {
        self.kept(id, |kept| kept.hands.as_ref()?.placed.clone())
            .flatten()
    }
}

/// Of each replica, how many of the predecessor's requests are counted as open.
type Held = BTreeMap<Id, (Arc<Replica>, u32)>;

fn line(guests: &[Guests]) -> Vec<u8> {
    // Strings and numbers are always JSON.
    let mut line = serde_json::to_vec(guests).unwrap_or_default();
    line.push(b'\n');
    line
}

/// How a socket of this machine is reached that listens there.
fn reached(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}
