//! A way to the registry on which things go wrong for a while.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a conversation by TLS begins with.
const GREETING: u8 = 0x16;

/// What happens to a connection of the engine's.
#[derive(Clone, Copy)]
pub(crate) enum Trouble {
    /// It is answered with 503.
    Busy,
    /// It ends before it is answered.
    Reset,
    /// The first to carry more bytes than that to the registry ends in the middle of them.
    Cut(usize),
}

/// Passes on what comes, and keeps it; its threads end with the test's process.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) port: u16,
    troubles: Arc<Mutex<VecDeque<Trouble>>>,
    was_cut: Arc<AtomicBool>,
    /// The next deletion is answered with 503.
    keeps: Arc<AtomicBool>,
    /// What was sent to the registry.
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Way {
    /// To this port of this machine.
    pub(crate) fn to(registry: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            port: listener.local_addr().unwrap().port(),
            troubles: Arc::default(),
            was_cut: Arc::default(),
            keeps: Arc::default(),
            sent: Arc::default(),
        };
        let own = way.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = own.clone();
                thread::spawn(move || own.pass(stream, registry));
            }
        });
        way
    }

    /// The requests since this was asked last, like `HEAD /v2/`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        let text = String::from_utf8_lossy(&sent);
        let lines = text
            .lines()
            .filter_map(|line| line.strip_suffix(" HTTP/1.1"));
        lines.map(str::to_owned).collect()
    }

    /// One after the other, to the engine's next connections; agentctl's own are left alone.
    pub(crate) fn has(&self, troubles: &[Trouble]) {
        self.troubles.lock().unwrap().extend(troubles);
    }

    /// Once, whoever asks.
    pub(crate) fn refuses_a_deletion(&self) {
        self.keeps.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_clear(&self) -> bool {
        self.troubles.lock().unwrap().is_empty()
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut.load(Ordering::SeqCst)
    }

    fn pass(&self, client: TcpStream, registry: u16) -> Option<()> {
        let trouble = match is_of_engine(&client) {
            true => next(&mut self.troubles.lock().unwrap()),
            false => None,
        };
        let most = match trouble {
            None => usize::MAX,
            Some(Trouble::Cut(bytes)) => bytes,
            Some(Trouble::Reset) => return None,
            Some(Trouble::Busy) => return busy(client),
        };
        let server = TcpStream::connect(("127.0.0.1", registry)).ok()?;
        let back = (server.try_clone().ok()?, client.try_clone().ok()?);
        thread::spawn(move || flow(back.0, back.1, usize::MAX, |_| true));
        // What is tried with TLS comes again without.
        let is_plain = !begins(&client).starts_with(&[GREETING]);
        let keep = |bytes: &[u8]| {
            if is_plain {
                self.sent.lock().unwrap().extend_from_slice(bytes);
            }
            !(bytes.starts_with(b"DELETE ") && self.keeps.swap(false, Ordering::SeqCst))
        };
        if flow(client, server, most, keep) {
            self.troubles.lock().unwrap().pop_front();
            self.was_cut.store(true, Ordering::SeqCst);
        }
        Some(())
    }
}

fn next(troubles: &mut VecDeque<Trouble>) -> Option<Trouble> {
    match troubles.front() {
        Some(Trouble::Cut(bytes)) => Some(Trouble::Cut(*bytes)),
        _ => troubles.pop_front(),
    }
}

fn is_of_engine(client: &TcpStream) -> bool {
    let name = b"User-Agent: docker/";
    begins(client)
        .windows(name.len())
        .any(|bytes| bytes == name)
}

fn begins(client: &TcpStream) -> Vec<u8> {
    let mut head = [0; 4096];
    let length = client.peek(&mut head).unwrap_or(0);
    head[..length].to_vec()
}

const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

fn busy(mut client: TcpStream) -> Option<()> {
    let _ = client.read(&mut [0; 4096]);
    client.write_all(BUSY).ok()
}

/// Whether it was cut off because there were more bytes than that; what is not to be passed on is
/// answered here.
fn flow(mut from: TcpStream, mut to: TcpStream, most: usize, pass: impl Fn(&[u8]) -> bool) -> bool {
    let mut some = (&mut from).take(most as u64);
    let mut block = [0; 16 << 10];
    let mut copied = 0;
    while let Ok(read @ 1..) = some.read(&mut block) {
        if !pass(&block[..read]) {
            let _ = some.get_mut().write_all(BUSY);
            copied = 0;
            break;
        }
        copied += read;
        if to.write_all(&block[..read]).is_err() {
            copied = 0;
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
    copied == most
}
