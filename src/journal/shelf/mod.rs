//! A journal in a place that many machines reach, which keeps things by name, each with a version,
//! and replaces one only for who names the version that it replaces: a cluster.
//!
//! ```text
//! lease            who writes, the highest fencing number ever given, and requests to the holder
//! journal          the last rollout's records, under the seal of the newest holder
//! rollout-N        the records of an earlier one
//! document-NAME    with the fence of who wrote it
//! ```
//! No lock spans two things, so the journal itself carries a seal: who takes the lease puts its
//! fencing number there before it counts as taken. From then on a write of the holder before names a
//! version that is gone, reads anew, finds the seal and stops. Invariant: what counts is replaced
//! as a whole, by its version alone; what was heard of it before is never more than a hint.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LockResult, Mutex};
use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::lease::Watch;
use super::{Asked, Fenced, Hold, Holder, Now, Owner, Record, Store, check_name};
use head::Head;

mod desk;
mod document;
mod head;
#[cfg(test)]
pub(super) mod memory;

use desk::Desk;

pub(crate) const LEASE: &str = "lease";
const JOURNAL: &str = "journal";

/// How often it may be looked at while another process writes.
const PACE: Duration = Duration::from_secs(1);

/// One thing that is kept, and the version that it has.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) version: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) trait Shelf {
    async fn get(&self, name: &str) -> Result<Option<Kept>>;

    /// The lease as it was last heard of, where the place tells of changes by itself.
    async fn lease_heard(&self) -> Result<Option<Kept>>;

    /// Its new version; `None`: it is another version by now, or with `over: None` it is there.
    async fn put(&self, name: &str, over: Option<&str>, bytes: Vec<u8>) -> Result<Option<String>>;

    async fn all(&self) -> Result<BTreeMap<String, Kept>>;
}

pub(crate) struct Shelved<W> {
    way: W,
    /// Whose journal this is, for messages.
    agent: String,
    watch: Mutex<Watch>,
    /// The journal as it was last read or written here.
    head: Mutex<Option<(Option<String>, Head)>>,
    lease: Mutex<Option<(String, Desk)>>,
    /// What `list` found, so that each of a hundred rollouts is no request of its own.
    picture: Mutex<Option<BTreeMap<String, Kept>>>,
    /// The lease is held here, and so nobody else changes what is in the picture.
    mine: AtomicBool,
}

impl<W: Shelf> Shelved<W> {
    pub(crate) fn new(way: W, agent: &str) -> Self {
        Self {
            way,
            agent: agent.to_owned(),
            watch: Mutex::default(),
            head: Mutex::default(),
            lease: Mutex::default(),
            picture: Mutex::default(),
            mine: AtomicBool::new(false),
        }
    }

    /// Something that does not change any more once it is there, from the picture if there is one.
    async fn settled(&self, name: &str) -> Result<Option<Kept>> {
        let pictured = unpoisoned(self.picture.lock())?
            .as_ref()
            .and_then(|picture| picture.get(name).cloned());
        match pictured {
            Some(kept) => Ok(Some(kept)),
            None => self.way.get(name).await,
        }
    }

    /// A picture that was taken under the lease, and holds what was written since.
    fn own_picture(&self) -> Result<Option<BTreeMap<String, Kept>>> {
        match self.mine.load(Ordering::Relaxed) {
            true => Ok(unpoisoned(self.picture.lock())?.clone()),
            false => Ok(None),
        }
    }

    /// Whether a picture that is still right lacks it.
    fn is_absent(&self, name: &str) -> Result<bool> {
        let picture = self.own_picture()?;
        Ok(picture.is_some_and(|picture| !picture.contains_key(name)))
    }

    /// Written, and known to be.
    async fn write_through(
        &self,
        name: &str,
        over: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Option<String>> {
        let written = self.way.put(name, over, bytes.clone()).await?;
        let mut picture = unpoisoned(self.picture.lock())?;
        match (&written, picture.as_mut()) {
            (Some(version), Some(picture)) => {
                let version = version.clone();
                picture.insert(name.to_owned(), Kept { version, bytes });
            }
            // Whether it was written is not known: all is looked at anew.
            _ => *picture = None,
        }
        Ok(written)
    }

    fn holds_it(&self, mine: bool) -> Result<()> {
        self.mine.store(mine, Ordering::Relaxed);
        *unpoisoned(self.picture.lock())? = None;
        Ok(())
    }

    async fn fenced(&self) -> Result<Fenced> {
        let (_, desk) = self.desk().await?;
        Ok(Fenced {
            what: self.agent.clone(),
            holder: desk.lease.holder,
        })
    }

    /// Names of the documents, as `list` found them last.
    pub(crate) async fn documents(&self) -> Result<Vec<String>> {
        if unpoisoned(self.picture.lock())?.is_none() {
            self.list().await?;
        }
        let picture = unpoisoned(self.picture.lock())?;
        let names = picture.iter().flatten().map(|(name, _)| name.as_str());
        Ok(names
            .filter_map(document::named)
            .map(str::to_owned)
            .collect())
    }

    /// Whether the journal's first lines are of another rollout, as far as the picture tells.
    fn is_earlier(&self, rollout: u64) -> Result<bool> {
        let picture = unpoisoned(self.picture.lock())?;
        Ok(picture
            .as_ref()
            .is_some_and(|picture| picture.contains_key(&head::earlier(rollout))))
    }
}

impl<W: Shelf> Store for Shelved<W> {
    async fn list(&self) -> Result<Vec<u64>> {
        let all = match self.own_picture()? {
            Some(all) => all,
            None => self.way.all().await?,
        };
        let mut rollouts: Vec<u64> = all.keys().filter_map(|name| head::number(name)).collect();
        if let Some(kept) = all.get(JOURNAL) {
            rollouts.extend(Head::parse(&kept.bytes)?.rollout);
        }
        rollouts.sort_unstable();
        rollouts.dedup();
        *unpoisoned(self.picture.lock())? = Some(all);
        Ok(rollouts)
    }

    async fn read(&self, rollout: u64) -> Result<Vec<Record>> {
        if !self.is_earlier(rollout)? {
            let head = self.head_to_read().await?;
            if head.rollout == Some(rollout) {
                return Ok(head.records);
            }
        }
        self.read_earlier(rollout).await
    }

    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()> {
        self.write(hold, rollout, at, payload).await
    }

    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()> {
        check_name(name)?;
        self.put_document(hold, name, bytes).await
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        check_name(name)?;
        let name = document::name(name);
        // One that a picture lacks was removed: nobody asks for a hundred of them one by one.
        if unpoisoned(self.picture.lock())?
            .as_ref()
            .is_some_and(|picture| !picture.contains_key(&name))
        {
            return Ok(None);
        }
        let kept = self.settled(&name).await?;
        kept.map(|kept| document::open(&kept.bytes).map(|(_, bytes)| bytes.to_vec()))
            .transpose()
    }

    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold> {
        let mut again = false;
        loop {
            let (version, mut desk) = self.desk().await?;
            if let Some(hold) = desk.lease.given(&owner, now.at).filter(|_| again) {
                self.seal(&hold).await?;
                self.holds_it(true)?;
                return Ok(hold);
            }
            let hold = {
                let mut watch = unpoisoned(self.watch.lock())?;
                desk.lease
                    .acquire(owner.clone(), now, &mut watch, &self.agent)?
            };
            if self.put_desk(version, desk).await? {
                self.seal(&hold).await?;
                self.holds_it(true)?;
                return Ok(hold);
            }
            again = true;
        }
    }

    async fn renew(&self, hold: &Hold, at: u64) -> Result<()> {
        let renewed = async |desk: &mut Desk| desk.lease.renew(hold, at, &self.agent);
        self.change_desk(renewed).await
    }

    async fn release(&self, hold: Hold) -> Result<()> {
        self.holds_it(false)?;
        let last = unpoisoned(self.lease.lock())?.take();
        let mut known = last.map(|(version, desk)| (Some(version), desk));
        let mut again = false;
        loop {
            let (version, mut desk) = match known.take() {
                Some(known) => known,
                None => self.desk().await?,
            };
            // The answer that said so was lost.
            if again && desk.lease.holder.is_none() {
                return Ok(());
            }
            let given_back = Hold::again(hold.fence());
            desk.lease.release(given_back, &self.agent)?;
            if self.put_desk(version, desk).await? {
                return Ok(());
            }
            again = true;
        }
    }

    async fn holder(&self) -> Result<Option<Holder>> {
        Ok(self.desk().await?.1.lease.holder)
    }

    async fn ask(&self, request: Asked) -> Result<()> {
        loop {
            let (version, mut desk) = self.desk().await?;
            if desk.asked.contains(&request) {
                return Ok(());
            }
            desk.asked.push(request.clone());
            if self.put_desk(version, desk).await? {
                return Ok(());
            }
        }
    }

    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>> {
        let heard = Desk::of(self.way.lease_heard().await?.as_ref())?;
        // What was heard may be older than what was written; the lease itself decides.
        if heard.lease.check(hold, &self.agent).is_ok() && heard.asked.is_empty() {
            return Ok(Vec::new());
        }
        let mut taken: Vec<Asked> = Vec::new();
        loop {
            let (version, mut desk) = self.desk().await?;
            desk.lease.check(hold, &self.agent)?;
            // Nobody else takes them: the answer that said so was lost.
            let is_taken = !taken.iter().any(|asked| desk.asked.contains(asked));
            if desk.asked.is_empty() || (is_taken && !taken.is_empty()) {
                break;
            }
            taken = std::mem::take(&mut desk.asked);
            if self.put_desk(version, desk).await? {
                break;
            }
        }
        taken.retain(|request| request.rollout == rollout);
        Ok(taken)
    }

    fn pace(&self) -> Duration {
        PACE
    }
}

impl<W: Shelf> Shelved<W> {
    /// The lease and the requests, and the version to replace; none before the first deploy.
    async fn desk(&self) -> Result<(Option<String>, Desk)> {
        let kept = self.way.get(LEASE).await?;
        let desk = Desk::of(kept.as_ref())?;
        let version = kept.map(|kept| kept.version);
        Ok((version, desk))
    }

    /// `false`: somebody else was faster.
    async fn put_desk(&self, over: Option<String>, desk: Desk) -> Result<bool> {
        let bytes = desk.bytes()?;
        let put = self.way.put(LEASE, over.as_deref(), bytes).await?;
        let written = put.map(|version| (version, desk));
        let is_written = written.is_some();
        *unpoisoned(self.lease.lock())? = written;
        Ok(is_written)
    }

    /// Begins with the version that was written last, so that a heartbeat is one request.
    async fn change_desk(&self, change: impl AsyncFn(&mut Desk) -> Result<()>) -> Result<()> {
        let last = unpoisoned(self.lease.lock())?.take();
        let mut known = last.map(|(version, desk)| (Some(version), desk));
        loop {
            let (version, mut desk) = match known.take() {
                Some(known) => known,
                None => self.desk().await?,
            };
            change(&mut desk).await?;
            if self.put_desk(version, desk).await? {
                return Ok(());
            }
        }
    }
}

fn unpoisoned<T>(locked: LockResult<T>) -> Result<T> {
    locked.map_err(|_| anyhow!("a panic came before"))
}
