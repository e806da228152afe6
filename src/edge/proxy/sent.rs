//! A request's body on its way to a replica.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// What was read of it already comes first, then the rest as it arrives.
#[derive(Default)]
pub(in crate::edge) struct Sent {
    start: Option<Bytes>,
    rest: Option<Incoming>,
    along: Option<Along>,
}

/// Reads along what is sent, without holding it up.
#[derive(Clone, Default)]
pub(super) struct Along(Rc<RefCell<Read>>);

#[derive(Default)]
struct Read {
    body: BytesMut,
    is_whole: bool,
    is_too_large: bool,
}

const MOST_READ: usize = 1 << 20;

impl Along {
    /// `None`: it was too large, or not all of it was sent.
    pub(super) fn whole(&self) -> Option<Bytes> {
        let mut read = self.0.borrow_mut();
        let is_there = read.is_whole && !read.is_too_large;
        is_there.then(|| read.body.split().freeze())
    }

    fn read(&self, data: Option<&Bytes>, is_whole: bool) {
        let read = &mut *self.0.borrow_mut();
        read.is_whole |= is_whole;
        let data = data.map_or(&[][..], |data| data);
        read.is_too_large |= read.body.len() + data.len() > MOST_READ;
        match read.is_too_large {
            true => read.body.clear(),
            false => read.body.extend_from_slice(data),
        }
    }
}

impl Sent {
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn whole(body: Bytes) -> Self {
        Self {
            start: Some(body).filter(|body| !body.is_empty()),
            ..Self::default()
        }
    }

    pub(super) fn stream(body: Incoming) -> Self {
        Self {
            rest: Some(body).filter(|body| !body.is_end_stream()),
            ..Self::default()
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
            along: None,
        }
    }

    pub(super) fn read_along(&mut self) -> Along {
        let along = Along::default();
        along.read(None, self.is_end_stream());
        self.along = Some(along.clone());
        along
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
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
        let frame = ready!(self.poll(cx));
        if let Some(along) = &self.along {
            let data = frame
                .as_ref()
                .and_then(|frame| frame.as_ref().ok()?.data_ref());
            along.read(data, frame.is_none() || self.is_end_stream());
        }
        Poll::Ready(frame)
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
