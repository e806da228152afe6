//! A way to the registry on which things go wrong for a while.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

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

/// Passes on what comes; its threads end with the test's process.
pub(crate) struct Way {
    pub(crate) port: u16,
    troubles: Arc<Mutex<VecDeque<Trouble>>>,
    was_cut: Arc<AtomicBool>,
}

impl Way {
    /// To this port of this machine.
    pub(crate) fn to(registry: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let way = Self {
            port: listener.local_addr().unwrap().port(),
            troubles: Arc::default(),
            was_cut: Arc::default(),
        };
        let (troubles, was_cut) = (way.troubles.clone(), way.was_cut.clone());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (troubles, was_cut) = (troubles.clone(), was_cut.clone());
                thread::spawn(move || pass(stream, registry, &troubles, &was_cut));
            }
        });
        way
    }

    /// One after the other, to the engine's next connections; agentctl's own are left alone.
    pub(crate) fn has(&self, troubles: &[Trouble]) {
        self.troubles.lock().unwrap().extend(troubles);
    }

    pub(crate) fn is_clear(&self) -> bool {
        self.troubles.lock().unwrap().is_empty()
    }

    pub(crate) fn was_cut(&self) -> bool {
        self.was_cut.load(Ordering::SeqCst)
    }
}

fn pass(
    client: TcpStream,
    registry: u16,
    troubles: &Mutex<VecDeque<Trouble>>,
    was_cut: &AtomicBool,
) -> Option<()> {
    let trouble = match is_of_engine(&client) {
        true => next(&mut troubles.lock().unwrap()),
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
    thread::spawn(move || flow(back.0, back.1, usize::MAX));
    if flow(client, server, most) {
        troubles.lock().unwrap().pop_front();
        was_cut.store(true, Ordering::SeqCst);
    }
    Some(())
}

fn next(troubles: &mut VecDeque<Trouble>) -> Option<Trouble> {
    match troubles.front() {
        Some(Trouble::Cut(bytes)) => Some(Trouble::Cut(*bytes)),
        _ => troubles.pop_front(),
    }
}

fn is_of_engine(client: &TcpStream) -> bool {
    let mut head = [0; 4096];
    let length = client.peek(&mut head).unwrap_or(0);
    let name = b"User-Agent: docker/";
    head[..length]
        .windows(name.len())
        .any(|bytes| bytes == name)
}

fn busy(mut client: TcpStream) -> Option<()> {
    let _ = client.read(&mut [0; 4096]);
    let answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    client.write_all(answer.as_bytes()).ok()
}

/// Whether it was cut off because there were more bytes than that.
fn flow(mut from: TcpStream, mut to: TcpStream, most: usize) -> bool {
    let mut some = (&mut from).take(most as u64);
    let copied = io::copy(&mut some, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
    copied.is_ok_and(|bytes| bytes == most as u64)
}
