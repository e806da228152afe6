//! Users on connections that stay open, who remember each answer that was none.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crate::support::PATIENCE;

#[derive(Default)]
pub(crate) struct Met {
    pub(crate) served: usize,
    pub(crate) failed: Vec<String>,
    pub(crate) releases: BTreeSet<String>,
}

pub(crate) struct Crowd {
    over: Arc<AtomicBool>,
    people: Vec<JoinHandle<Met>>,
}

impl Crowd {
    pub(crate) fn start(port: u16, people: usize) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], port)), people)
    }

    pub(crate) fn at(address: SocketAddr, people: usize) -> Self {
        let over = Arc::<AtomicBool>::default();
        let people = (0..people).map(|_| {
            let over = Arc::clone(&over);
            thread::spawn(move || asks(address, &over))
        });
        let people = people.collect();
        Self { over, people }
    }

    /// What all of them met.
    pub(crate) fn stop(mut self) -> Met {
        self.over.store(true, Ordering::Relaxed);
        let mut all = Met::default();
        for person in self.people.drain(..) {
            let met = person.join().unwrap();
            all.served += met.served;
            all.failed.extend(met.failed);
            all.releases.extend(met.releases);
        }
        all
    }
}

/// A test that failed leaves nobody behind who asks on and on beside the others.
impl Drop for Crowd {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn asks(address: SocketAddr, over: &AtomicBool) -> Met {
    let mut met = Met::default();
    let mut kept = None;
    while !over.load(Ordering::Relaxed) {
        match answer(&mut kept, address) {
            Ok((200, body)) => {
                met.served += 1;
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                met.releases
                    .insert(body["release"].as_str().unwrap().to_owned());
            }
            Ok((status, body)) => {
                let body = String::from_utf8_lossy(&body);
                met.failed.push(format!("{status}: {body}"));
            }
            Err(error) => {
                met.failed.push(error.to_string());
                kept = None;
            }
        }
    }
    met
}

fn answer(
    kept: &mut Option<BufReader<TcpStream>>,
    address: SocketAddr,
) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = match kept.take() {
        Some(stream) => stream,
        None => BufReader::new(TcpStream::connect(address)?),
    };
    stream.get_ref().set_read_timeout(Some(PATIENCE))?;
    stream
        .get_mut()
        .write_all(b"GET / HTTP/1.1\r\nHost: bot\r\n\r\n")?;
    let (mut status, mut length, mut stays) = (0, 0, true);
    for number in 0.. {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            _ if number == 0 => status = line.split(' ').nth(1).unwrap().parse().unwrap(),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("connection", value)) => stays = value != "close",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    *kept = stays.then_some(stream);
    Ok((status, body))
}
