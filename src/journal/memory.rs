//! A journal that is lost with the test. It keeps the same contract as the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Result;
use serde_json::Value;

use super::lease::{Lease, Watch};
use super::{Asked, Hold, Holder, Now, Owner, Record, Store, check_name};

#[derive(Default)]
pub(crate) struct Memory {
    state: Arc<Mutex<State>>,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct State {
    lease: Lease,
    rollouts: BTreeMap<u64, Vec<Record>>,
    documents: BTreeMap<String, Vec<u8>>,
    requests: Vec<Asked>,
}

impl Memory {
    /// The same journal as another process sees it.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            watch: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn held(&self, hold: &Hold) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        state.lease.check(hold, "the agent")?;
        Ok(state)
    }
}

impl Store for Memory {
    async fn list(&self) -> Result<Vec<u64>> {
        Ok(self.state().rollouts.keys().copied().collect())
    }

    async fn read(&self, rollout: u64) -> Result<Vec<Record>> {
        Ok(self
            .state()
            .rollouts
            .get(&rollout)
            .cloned()
            .unwrap_or_default())
    }

    async fn append(&self, hold: &Hold, rollout: u64, at: u64, payload: Value) -> Result<()> {
        let mut state = self.held(hold)?;
        let records = state.rollouts.entry(rollout).or_default();
        records.push(Record {
            seq: records.len() as u64,
            fence: hold.fence(),
            at,
            payload,
        });
        Ok(())
    }

    async fn put(&self, hold: &Hold, name: &str, bytes: &[u8]) -> Result<()> {
        check_name(name)?;
        let mut state = self.held(hold)?;
        state.documents.insert(name.to_owned(), bytes.to_owned());
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        check_name(name)?;
        Ok(self.state().documents.get(name).cloned())
    }

    async fn acquire(&self, owner: Owner, now: Now) -> Result<Hold> {
        let mut watch = self.watch.lock().unwrap();
        self.state()
            .lease
            .acquire(owner, now, &mut watch, "the agent")
    }

    async fn renew(&self, hold: &Hold, at: u64) -> Result<()> {
        self.state().lease.renew(hold, at, "the agent")
    }

    async fn release(&self, hold: Hold) -> Result<()> {
        self.state().lease.release(hold, "the agent")
    }

    async fn holder(&self) -> Result<Option<Holder>> {
        Ok(self.state().lease.holder.clone())
    }

    async fn ask(&self, request: Asked) -> Result<()> {
        let requests = &mut self.state().requests;
        if !requests.contains(&request) {
            requests.push(request);
        }
        Ok(())
    }

    async fn asked(&self, hold: &Hold, rollout: u64) -> Result<Vec<Asked>> {
        let mut requests = std::mem::take(&mut self.held(hold)?.requests);
        requests.retain(|request| request.rollout == rollout);
        Ok(requests)
    }
}
