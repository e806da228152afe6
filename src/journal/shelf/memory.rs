//! Such a place in memory, for the contract. The answer to every third write is lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::{Kept, LEASE, Shelf};

#[derive(Clone, Default)]
pub(in crate::journal) struct InMemory(Arc<Mutex<(u64, BTreeMap<String, Kept>)>>);

impl Shelf for InMemory {
    async fn get(&self, name: &str) -> Result<Option<Kept>> {
        Ok(self.0.lock().unwrap().1.get(name).cloned())
    }

    async fn lease_heard(&self) -> Result<Option<Kept>> {
        self.get(LEASE).await
    }

    async fn put(&self, name: &str, over: Option<&str>, bytes: Vec<u8>) -> Result<Option<String>> {
        let mut all = self.0.lock().unwrap();
        if all.1.get(name).map(|kept| kept.version.as_str()) != over {
            return Ok(None);
        }
        all.0 += 1;
        let version = all.0.to_string();
        let kept = Kept {
            version: version.clone(),
            bytes,
        };
        all.1.insert(name.to_owned(), kept);
        // As where it was tried again after the answer was lost.
        let is_lost = all.0.is_multiple_of(3);
        Ok((!is_lost).then_some(version))
    }

    async fn all(&self) -> Result<BTreeMap<String, Kept>> {
        Ok(self.0.lock().unwrap().1.clone())
    }
}
