//! What the engine says while it builds: one JSON value a line.

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;

/// More than this is no line of a build.
const LONGEST: usize = 64 * 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub(super) id: Option<String>,
    pub(super) stream: Option<String>,
    pub(super) status: Option<String>,
    #[serde(rename = "progressDetail")]
    pub(super) moved: Option<Moved>,
    pub(super) aux: Option<Value>,
    pub(super) error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Moved {
    pub(super) current: u64,
    pub(super) total: u64,
}

impl Line {
    /// Both builders name the image in the end.
    pub(super) fn image(&self) -> Option<&str> {
        self.aux.as_ref()?.get("ID")?.as_str()
    }
}

pub(super) struct Lines {
    body: Incoming,
    buffer: BytesMut,
}

impl Lines {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// `None` at the end; an error that the engine reports is one here.
    pub(super) async fn next(&mut self) -> Result<Option<Line>> {
        loop {
            if let Some(line) = split(&mut self.buffer)? {
                return Ok(Some(line));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.context("the engine broke off in the middle of the build")?;
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
        assert_eq!(line.image(), Some("sha256:1"));
    }

    #[test]
    fn an_error_ends_it() {
        let mut buffer = BytesMut::from("{\"errorDetail\":{},\"error\":\"no such file\\n\"}\n");
        assert_eq!(split(&mut buffer).unwrap_err().to_string(), "no such file");
    }
}
