//! The journal, wherever the agent lives.

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::journal::{Asked, Directory, Hold, Holder, Now, Owner, Record, Remote, Store};
use crate::target::{Host, Journal};

pub(crate) enum AnyStore {
    Directory(Directory),
    Host(Remote<Rc<Host>>),
    Cluster(Rc<Journal>),
}

macro_rules! each {
    ($any:expr, $store:ident => $does:expr) => {
        match $any {
            AnyStore::Directory($store) => $does,
            AnyStore::Host($store) => $does,
            AnyStore::Cluster($store) => $does,
        }
    };
}

impl Store for AnyStore {
    async fn list(&self) -> Result<Vec<u64>> {
        each!(self, store => store.list().await)
    }

    async fn read(&self, rollout: u64) -> Result<Vec<Record>> {
        each!(self, store => store.read(rollout).await)
    }

    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()> {
        each!(self, store => store.append(hold, rollout, at, payload).await)
    }

    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()> {
        each!(self, store => store.put(hold, name, bytes).await)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        each!(self, store => store.get(name).await)
    }

    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold> {
        each!(self, store => store.acquire(owner, now).await)
    }

    async fn renew(&self, hold: &Hold, at: u64) -> Result<()> {
        each!(self, store => store.renew(hold, at).await)
    }

    async fn release(&self, hold: Hold) -> Result<()> {
        each!(self, store => store.release(hold).await)
    }

    async fn holder(&self) -> Result<Option<Holder>> {
        each!(self, store => store.holder().await)
    }

    async fn ask(&self, request: Asked) -> Result<()> {
        each!(self, store => store.ask(request).await)
    }

    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>> {
        each!(self, store => store.asked(hold, rollout).await)
    }

    fn pace(&self) -> Duration {
        each!(self, store => store.pace())
    }
}
