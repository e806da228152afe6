//! What an edge tells of itself, as it changes.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Result;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{Lost, Way, understand, within};
use crate::edge::api::State;

/// A state is told each second.
const TELLS_WITHIN: Duration = Duration::from_secs(5);

/// States as they come.
pub(crate) struct Watch {
    way: Way,
    body: Incoming,
    rest: BytesMut,
    lines: VecDeque<State>,
}

impl Watch {
    pub(super) fn new(way: Way, body: Incoming) -> Self {
        Self {
            way,
            body,
            rest: BytesMut::new(),
            lines: VecDeque::new(),
        }
    }

    /// `None`: the edge has ended, or is not reached any more.
    pub(crate) async fn next(&mut self) -> Result<Option<State>> {
        while self.lines.is_empty() {
            let frame = async { Ok(self.body.frame().await) };
            match within(TELLS_WITHIN, &self.way, frame).await {
                Ok(Some(Ok(frame))) => self.take(&frame.into_data().unwrap_or_default())?,
                Ok(Some(Err(_)) | None) => return Ok(None),
                Err(error) if error.is::<Lost>() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(self.lines.pop_front())
    }

    fn take(&mut self, data: &[u8]) -> Result<()> {
        self.rest.extend_from_slice(data);
        while let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
            let line = self.rest.split_to(end);
            self.rest.advance(1);
            self.lines.push_back(understand(&line)?);
        }
        Ok(())
    }
}
