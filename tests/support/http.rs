//! Requests by hand: each on a connection of its own, so that the edge chooses anew.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::{PATIENCE, Place};

impl Place {
    /// Status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.get_in(path, None)
    }

    pub(crate) fn get_in(&self, path: &str, conversation: Option<&str>) -> (u16, String) {
        let key = conversation
            .map(|key| format!("X-Conversation-Id: {key}\r\n"))
            .unwrap_or_default();
        let mut stream = self.send(path, &format!("{key}Connection: close\r\n"));
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let status = reply.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = reply
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned());
        (status.unwrap_or(0), body.unwrap_or_default())
    }

    /// A field of the test agent's reply.
    #[track_caller]
    pub(crate) fn ask(&self, asked: &str) -> String {
        let (status, body) = self.get("/");
        assert_eq!(status, 200, "{body}");
        field(&body, asked)
    }

    #[track_caller]
    pub(crate) fn ask_in(&self, conversation: &str, asked: &str) -> String {
        let (status, body) = self.get_in("/", Some(conversation));
        assert_eq!(status, 200, "{body}");
        field(&body, asked)
    }

    /// A request whose reply is read bit by bit.
    pub(crate) fn open(&self, path: &str, headers: &str) -> Stream {
        Stream(BufReader::new(self.send(path, headers)))
    }

    fn send(&self, path: &str, headers: &str) -> TcpStream {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bot\r\n{headers}\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Skips to the next line that begins so, and gives the rest of it.
    #[track_caller]
    pub(crate) fn after(&mut self, start: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                self.0.read_line(&mut line).unwrap(),
                0,
                "it ended before {start:?}"
            );
            if let Some(rest) = line.strip_prefix(start) {
                return rest.trim_end().to_owned();
            }
        }
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }
}

#[track_caller]
fn field(json: &str, name: &str) -> String {
    let reply: serde_json::Value = serde_json::from_str(json).unwrap();
    match &reply[name] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Which release and which process answered.
#[track_caller]
pub(crate) fn reply(place: &Place) -> (String, u32) {
    let (status, body) = place.get("/");
    assert_eq!(status, 200, "{body}");
    (
        field(&body, "release"),
        field(&body, "pid").parse().unwrap(),
    )
}
