//! What the engine says while it works: one JSON value a line.

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;

/// More bytes than this are no line.
const LONGEST: usize = 64 * 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) id: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(rename = "progressDetail")]
    pub(crate) moved: Moved,
    pub(crate) aux: Option<Value>,
    pub(crate) error: Option<String>,
}

/// In bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Moved {
    pub(crate) current: Option<u64>,
    pub(crate) total: Option<u64>,
}

pub(crate) struct Lines {
    body: Incoming,
    buffer: BytesMut,
}

impl Lines {
    pub(crate) fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// `None` at the end; an error that the engine reports is one here.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>> {
        loop {
            if let Some(line) = split(&mut self.buffer)? {
                return Ok(Some(line));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.context("the engine broke off in the middle")?;
            self.buffer
                .extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        }
    }
}

fn split(buffer: &mut BytesMut) -> Result<Option<Line>> {
    let Some(end) = memchr::memchr(b'\n', buffer) else {
        if buffer.len() > LONGEST {
            bail!("the engine says more in one line than fits");
        }
        return Ok(None);
    };
    let line: Line = serde_json::from_slice(&buffer.split_to(end + 1))
        .context("the engine says what is no JSON")?;
    match line.error {
        Some(error) => bail!("{}", error.trim()),
        None => Ok(Some(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_come_in_pieces() {
        let mut buffer = BytesMut::from("{\"stream\":\"Step 1/2 : FROM a\\n\"}\r\n{\"aux\":");
        let line = split(&mut buffer).unwrap().unwrap();
        assert_eq!(line.stream.as_deref(), Some("Step 1/2 : FROM a\n"));
        assert!(split(&mut buffer).unwrap().is_none());
        buffer.extend_from_slice(b"{\"ID\":\"sha256:1\"}}\n");
        let line = split(&mut buffer).unwrap().unwrap();
        assert_eq!(line.aux.unwrap()["ID"], "sha256:1");
    }

    #[test]
    fn an_error_ends_it() {
        let mut buffer = BytesMut::from("{\"errorDetail\":{},\"error\":\"no such file\\n\"}\n");
        assert_eq!(split(&mut buffer).unwrap_err().to_string(), "no such file");
    }
}
