//! People who use the agent: requests at full speed, streams that must be whole, and conversations
//! that must stay with one release. They work in a thread of their own until they are stopped.

mod client;
mod counts;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use hyper::Method;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

use client::{Client, Failure};
pub(crate) use counts::Counts;
use counts::Shared;

/// Between two messages of a conversation.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a conversation lasts.
const TALK: Duration = Duration::from_secs(20);
/// How long somebody waits who could not connect.
const RETRY: Duration = Duration::from_millis(10);

/// How many of whom.
#[derive(Clone, Copy, Default)]
pub(crate) struct Crowd {
    pub(crate) connections: u32,
    pub(crate) streams: u32,
    pub(crate) conversations: u32,
    /// Each request over a connection of its own.
    pub(crate) newcomers: u32,
}

pub(crate) struct Load {
    counts: Arc<Shared>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Load {
    pub(crate) fn start(address: SocketAddr, crowd: Crowd) -> Self {
        let counts = Arc::<Shared>::default();
        let over = Arc::<AtomicBool>::default();
        let person = Person {
            address,
            counts: counts.clone(),
            over: over.clone(),
        };
        let thread = thread::spawn(move || person.and_others(crowd));
        Self {
            counts,
            over,
            thread,
        }
    }

    /// A look while it goes on.
    pub(crate) fn look<T>(&self, what: impl FnOnce(&mut Counts) -> T) -> T {
        self.counts.with(what)
    }

    /// Open streams are read to their end first.
    pub(crate) fn stop(self) -> Result<Counts> {
        self.over.store(true, Ordering::Relaxed);
        let joined = self.thread.join();
        joined.map_err(|_| anyhow!("the load generator broke down"))??;
        Ok(self.counts.with(std::mem::take))
    }
}

#[derive(Clone)]
struct Person {
    address: SocketAddr,
    counts: Arc<Shared>,
    over: Arc<AtomicBool>,
}

impl Person {
    fn and_others(self, crowd: Crowd) -> Result<()> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let people = LocalSet::new();
        let all = async {
            let mut tasks = Vec::new();
            tasks.extend((0..crowd.connections).map(|_| spawn_local(self.clone().requests())));
            tasks.extend((0..crowd.newcomers).map(|_| spawn_local(self.clone().new_each_time())));
            tasks.extend((0..crowd.streams).map(|_| spawn_local(self.clone().streams())));
            tasks.extend((0..crowd.conversations).map(|n| spawn_local(self.clone().talks(n))));
            for task in tasks {
                task.await?;
            }
            Ok(())
        };
        people.block_on(&runtime, all)
    }

    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    async fn failed(&self, failure: Failure) {
        self.counts.with(|counts| counts.failed(failure));
        sleep(RETRY).await;
    }

    async fn requests(self) {
        let mut client = Client::new(self.address);
        while self.goes_on() {
            self.request(&mut client).await;
        }
    }

    async fn new_each_time(self) {
        while self.goes_on() {
            self.request(&mut Client::new(self.address)).await;
            sleep(RETRY).await;
        }
    }

    async fn request(&self, client: &mut Client) {
        let asked = Instant::now();
        match client.ask(Method::GET, "/", None).await {
            Ok(reply) => self
                .counts
                .with(|counts| counts.served(&reply, asked.elapsed())),
            Err(failure) => self.failed(failure).await,
        }
    }

    async fn streams(self) {
        let mut client = Client::new(self.address);
        while self.goes_on() {
            match client.ask(Method::GET, "/sse/20", None).await {
                Ok(reply) => self.counts.with(|counts| counts.streamed(&reply)),
                Err(failure) => self.failed(failure).await,
            }
        }
    }

    async fn talks(self, who: u32) {
        let mut client = Client::new(self.address);
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            self.talk(&mut client, &format!("{who}-{number}")).await;
        }
    }

    async fn talk(&self, client: &mut Client, name: &str) {
        let mut met = std::collections::BTreeSet::new();
        let began = Instant::now();
        while self.goes_on() && began.elapsed() < TALK {
            match client.ask(Method::POST, "/chat", Some(name)).await {
                Ok(reply) => {
                    met.insert(reply.release);
                }
                Err(failure) => self.failed(failure).await,
            }
            sleep(PAUSE).await;
        }
        self.counts.with(|counts| counts.talked(met.len()));
    }
}
