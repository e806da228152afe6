//! A small HTTP server, for whatever agentctl asks of others.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::PATIENCE;

/// On a port of its own, one request after the other, until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// `answer`: from the request, head and body, to status and body.
    pub(crate) fn start(answer: impl FnMut(&str) -> (u16, String) + Send + 'static) -> Self {
        Self::start_behind(None, answer)
    }

    /// With TLS before it.
    pub(crate) fn start_behind(
        tls: Option<Arc<ServerConfig>>,
        mut answer: impl FnMut(&str) -> (u16, String) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.try_recv().is_ok() {
                    return;
                }
                let Ok(mut stream) = stream else {
                    continue;
                };
                let _ = stream.set_read_timeout(Some(PATIENCE));
                match &tls {
                    None => converse(&mut stream, &mut answer),
                    Some(tls) => {
                        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                        converse(&mut StreamOwned::new(connection, stream), &mut answer);
                    }
                }
            }
        });
        let thread = Some(thread);
        Self { port, stop, thread }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Nothing is asked over a connection that TLS does not let in.
fn converse(stream: &mut (impl Read + Write), answer: &mut impl FnMut(&str) -> (u16, String)) {
    let asked = request(stream);
    if !asked.is_empty() {
        let (status, body) = answer(&asked);
        let _ = stream.write_all(reply(status, &body).as_bytes());
        let _ = stream.flush();
    }
}

/// Head and body, as far as they came.
fn request(stream: &mut impl Read) -> String {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut part) {
            Ok(read) if read > 0 => bytes.extend(&part[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reply(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| value.trim().parse().unwrap());
    body.len() >= length
}
