//! A request's body on its way to a replica.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// What was read of it already comes first, then the rest as it arrives.
#[derive(Default)]
pub(in crate::edge) struct Sent {
    start: Option<Bytes>,
    rest: Option<Incoming>,
}

impl Sent {
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn whole(body: Bytes) -> Self {
        Self {
            start: Some(body).filter(|body| !body.is_empty()),
            rest: None,
        }
    }

    pub(super) fn stream(body: Incoming) -> Self {
        Self {
            start: None,
            rest: Some(body).filter(|body| !body.is_end_stream()),
        }
    }

    /// Whether it can be sent without waiting for the client.
    pub(in crate::edge) fn is_in_memory(&self) -> bool {
        self.rest.is_none()
    }

    pub(super) fn resumed(start: Bytes, rest: Incoming) -> Self {
        Self {
            start: Some(start),
            rest: Some(rest),
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.start.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let start = self.start.as_ref().map_or(0, Bytes::len) as u64;
        let rest = self.rest.as_ref();
        let rest = rest.map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut all = SizeHint::new();
        all.set_lower(start + rest.lower());
        if let Some(upper) = rest.upper() {
            all.set_upper(start + upper);
        }
        all
    }
}
