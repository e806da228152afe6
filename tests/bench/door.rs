//! A door between a client and the Docker engine that notes when the last of a context went through.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::place::eventually;

const ENGINE: &str = "/var/run/docker.sock";
/// What is smaller is no part of a context, but a word about the connection.
const LEAST: usize = 1 << 10;

/// What one connection brought to the engine.
#[derive(Clone, Copy)]
pub(crate) struct Brought {
    pub(crate) bytes: u64,
    pub(crate) last: Instant,
}

pub(crate) struct Door {
    path: PathBuf,
    brought: Arc<Mutex<Vec<Brought>>>,
}

impl Door {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path)?;
        let brought = Arc::new(Mutex::new(Vec::new()));
        let all = brought.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let all = all.clone();
                thread::spawn(move || pass(client, &all));
            }
        });
        Ok(Self {
            path: path.to_owned(),
            brought,
        })
    }

    /// For `DOCKER_HOST`.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// By the connection that brought most, at least so many bytes; forgets all of them. A
    /// connection is noted once it is closed, which may be a moment after its process has ended.
    pub(crate) fn most(&self, least: u64) -> Result<Brought> {
        let found = || {
            let all = self.brought.lock().ok()?;
            let most = all.iter().max_by_key(|brought| brought.bytes).copied();
            most.filter(|most| most.bytes >= least)
        };
        let most = eventually("a whole context at the engine", found)?;
        let mut all = self
            .brought
            .lock()
            .map_err(|_| anyhow!("a thread failed"))?;
        all.clear();
        Ok(most)
    }
}

fn pass(client: UnixStream, all: &Mutex<Vec<Brought>>) -> Result<()> {
    let engine = UnixStream::connect(ENGINE)?;
    let (back, answers) = (client.try_clone()?, engine.try_clone()?);
    let answering = thread::spawn(move || copy(answers, back, |_| ()));
    let mut brought = Brought {
        bytes: 0,
        last: Instant::now(),
    };
    copy(client, engine, |bytes| {
        brought.bytes += bytes as u64;
        if bytes >= LEAST {
            brought.last = Instant::now();
        }
    });
    if let Ok(mut all) = all.lock() {
        all.push(brought);
    }
    let _ = answering.join();
    Ok(())
}

fn copy(mut from: UnixStream, mut to: UnixStream, mut passed: impl FnMut(usize)) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..bytes]).is_err() {
            break;
        }
        passed(bytes);
    }
    let _ = to.shutdown(Shutdown::Write);
}
