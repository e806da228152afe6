//! What they met.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Failure, Reply};
use crate::agent::LAST_EVENT;
use crate::stats::Sample;

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) served: u64,
    pub(crate) failed: u64,
    pub(crate) cut: u64,
    /// What went wrong, and how often.
    pub(crate) says: BTreeMap<String, u64>,
    /// When the last reply of each release came.
    pub(crate) last: BTreeMap<String, Instant>,
    pub(crate) streams: u64,
    pub(crate) conversations: u64,
    /// Streams and conversations that met more than one release.
    pub(crate) mixed: u64,
    micros: Vec<u32>,
}

impl Counts {
    pub(super) fn served(&mut self, reply: &Reply, took: Duration) {
        self.served += 1;
        self.micros.push(took.as_micros() as u32);
        let now = Instant::now();
        match self.last.get_mut(&reply.release) {
            Some(last) => *last = now,
            None => drop(self.last.insert(reply.release.clone(), now)),
        }
    }

    pub(super) fn failed(&mut self, failure: Failure) {
        let says = match failure {
            Failure::Failed(says) => {
                self.failed += 1;
                says
            }
            Failure::Cut(says) => {
                self.cut += 1;
                format!("cut: {says}")
            }
        };
        *self.says.entry(says).or_default() += 1;
    }

    /// Whole, and all of one release?
    pub(super) fn streamed(&mut self, reply: &Reply) {
        self.streams += 1;
        let text = String::from_utf8_lossy(&reply.body);
        if !text.contains(LAST_EVENT) {
            self.failed(Failure::Cut("a stream without its last event".to_owned()));
        }
        let mut told = text.lines().filter_map(|line| line.strip_prefix("data: "));
        self.mixed += u64::from(!told.all(|release| release == reply.release));
    }

    pub(super) fn talked(&mut self, met: usize) {
        self.conversations += 1;
        self.mixed += u64::from(met > 1);
    }

    pub(crate) fn broken(&self) -> u64 {
        self.failed + self.cut
    }

    /// In milliseconds.
    pub(crate) fn latency(&self) -> Sample {
        self.micros
            .iter()
            .map(|&one| f64::from(one) / 1e3)
            .collect()
    }
}

#[derive(Default)]
pub(super) struct Shared(Mutex<Counts>);

impl Shared {
    pub(super) fn with<T>(&self, what: impl FnOnce(&mut Counts) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
