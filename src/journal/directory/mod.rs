//! The journal in a state directory, for agents that run on this machine.
//!
//! ```text
//! rollouts/0007.journal   one line a record
//! documents/NAME
//! lease.json              who writes, and the highest fencing number ever given
//! lease.lock              locked for moments only, and by the kernel: never deleted
//! requests.json           there only while a request waits
//! ```
//! Folders are 0700 and files 0600.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::sync::Mutex;

use super::lease::{Lease, Watch};
use super::{Asked, Corrupt, Hold, Holder, Now, Owner, Record, Store, format};
use pen::{Entry, Pen};

mod files;
mod pen;
mod requests;
#[cfg(test)]
mod tests;

/// How long the short lock is tried for before something must be wrong: 5 s.
const TRIES: u32 = 1000;
const TRY_EVERY: Duration = Duration::from_millis(5);

pub(crate) struct Directory {
    root: PathBuf,
    /// Whose journal this is, for messages.
    pub(super) agent: String,
    watch: Mutex<Watch>,
    pen: Mutex<Pen>,
}

/// Nobody else checks or writes while this is alive; the kernel ends it with the process.
struct Locked<'a> {
    directory: &'a Directory,
    _lock: File,
}

impl Directory {
    /// Touches nothing: the folder is made by the first write.
    pub(crate) fn new(root: impl Into<PathBuf>, agent: &str) -> Self {
        Self {
            root: root.into(),
            agent: agent.to_owned(),
            watch: Mutex::default(),
            pen: Mutex::default(),
        }
    }

    async fn lock(&self) -> Result<Locked<'_>> {
        let path = self.root.join("lease.lock");
        files::make_folders(&self.root, &["rollouts", "documents"])?;
        let lock = files::open_lock(&path)?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Locked {
                        directory: self,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(TRY_EVERY).await,
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
        bail!(self.stuck(&path))
    }

    fn stuck(&self, lock: &Path) -> String {
        let holder = self.read_lease().ok().and_then(|lease| lease.holder);
        let who = holder.map_or("another agentctl".to_owned(), |it| it.owner.to_string());
        format!(
            "{} is kept locked, probably by {who}; if that process is stopped, continue it \
             (`kill -CONT PID`) or end it",
            lock.display()
        )
    }

    /// Without the lock, for who only looks: the file is replaced as a whole.
    fn read_lease(&self) -> Result<Lease> {
        let file = self.root.join("lease.json");
        let Some(bytes) = files::read(&file)? else {
            return Ok(Lease::default());
        };
        format::parse(&bytes, &file, |says| Corrupt {
            file: file.clone(),
            line: 1,
            says: says.to_owned(),
            hint: "if no agentctl is at work here, replace its content by \
                   {\"v\":1,\"fence\":N,\"holder\":null} with N above every \"fence\" in rollouts/",
        })
    }

    /// For who has judged elsewhere that `from`, who holds it, is gone; its new fence.
    pub(super) async fn take(
        &self,
        from: Option<&Holder>,
        owner: Owner,
        at: u64,
    ) -> Result<Option<u64>> {
        let locked = self.lock().await?;
        let hold = locked.lease(|lease, _| Ok(lease.take(from, owner, at)))?;
        Ok(hold.map(|hold| hold.fence()))
    }

    /// Requests for this rollout but for those that were taken; they stay until they are.
    pub(super) async fn waiting(
        &self,
        hold: &Hold,
        rollout: u64,
        taken: &[Asked],
    ) -> Result<Vec<Asked>> {
        let file = self.requests();
        if !files::exists(&file)? {
            return Ok(Vec::new());
        }
        let locked = self.lock().await?;
        locked.check(hold)?;
        requests::look(&file, rollout, taken)
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let names = files::list(&self.root.join("rollouts"))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn rollout(&self, number: u64) -> PathBuf {
        self.root.join(format!("rollouts/{number:04}.journal"))
    }

    fn document(&self, name: &str) -> Result<PathBuf> {
        super::check_name(name)?;
        Ok(self.root.join("documents").join(name))
    }

    fn requests(&self) -> PathBuf {
        self.root.join("requests.json")
    }
}

fn number(name: &str) -> Option<u64> {
    name.strip_suffix(".journal")?.parse().ok()
}

impl Locked<'_> {
    fn check(&self, hold: &Hold) -> Result<()> {
        let lease = self.directory.read_lease()?;
        lease.check(hold, &self.directory.agent)
    }

    /// Changes the lease, durably, or leaves it as it was.
    fn lease<T>(&self, change: impl FnOnce(&mut Lease, &str) -> Result<T>) -> Result<T> {
        let mut lease = self.directory.read_lease()?;
        let result = change(&mut lease, &self.directory.agent)?;
        let json = format::versioned(&lease)?;
        files::replace(&self.directory.root.join("lease.json"), json.as_bytes())?;
        Ok(result)
    }
}

impl Store for Directory {
    async fn list(&self) -> Result<Vec<u64>> {
        self.numbers()
    }

    async fn read(&self, rollout: u64) -> Result<Vec<Record>> {
        let file = self.rollout(rollout);
        let Some(bytes) = files::read(&file)? else {
            return Ok(Vec::new());
        };
        let records = format::records(&bytes, &file)?.records;
        match records.is_empty() {
            // It appeared together with its first one.
            true => bail!(format::corrupt(&file, 1, "there is no record in it")),
            false => Ok(records),
        }
    }

    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()> {
        let mut pen = self.pen.lock().await;
        let locked = self.lock().await?;
        locked.check(hold)?;
        pen.write(Entry {
            file: self.rollout(rollout),
            fence: hold.fence(),
            at,
            payload,
        })
    }

    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()> {
        let file = self.document(name)?;
        let locked = self.lock().await?;
        locked.check(hold)?;
        files::replace(&file, bytes)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        files::read(&self.document(name)?)
    }

    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold> {
        let mut watch = self.watch.lock().await;
        let locked = self.lock().await?;
        locked.lease(|lease, what| lease.acquire(owner, now, &mut watch, what))
    }

    async fn renew(&self, hold: &Hold, at: u64) -> Result<()> {
        let locked = self.lock().await?;
        locked.lease(|lease, what| lease.renew(hold, at, what))
    }

    async fn release(&self, hold: Hold) -> Result<()> {
        let locked = self.lock().await?;
        locked.lease(|lease, what| lease.release(hold, what))
    }

    async fn holder(&self) -> Result<Option<Holder>> {
        Ok(self.read_lease()?.holder)
    }

    async fn ask(&self, request: Asked) -> Result<()> {
        let _locked = self.lock().await?;
        requests::add(&self.requests(), request)
    }

    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>> {
        let file = self.requests();
        if !files::exists(&file)? {
            return Ok(Vec::new());
        }
        let locked = self.lock().await?;
        locked.check(hold)?;
        requests::take(&file, rollout)
    }
}
