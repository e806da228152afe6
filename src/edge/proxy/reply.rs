//! A reply's body on its way to the client.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::response::Parts;

use super::in_flight::InFlight;
use crate::edge::upstream::{Connection, Upstream};
use crate::edge::usage::{Tail, Usage};

pub(in crate::edge) enum Reply {
    /// The edge's own words.
    Own(Option<Bytes>),
    Passing(Box<Passing>),
}

/// Gives its connection back when it has ended; if it is dropped before, the connection goes too.
pub(in crate::edge) struct Passing {
    body: Incoming,
    underway: Option<Underway>,
    broken: Option<hyper::Error>,
}

struct Underway {
    in_flight: InFlight,
    tail: Option<Tail>,
    connection: Connection,
    upstream: Rc<Upstream>,
}

impl Reply {
    pub(super) fn own(says: Bytes) -> Self {
        Self::Own(Some(says))
    }

    pub(super) fn passing(
        head: &Parts,
        body: Incoming,
        in_flight: InFlight,
        connection: Connection,
        upstream: Rc<Upstream>,
    ) -> Self {
        let tail = Tail::of(&head.headers);
        let underway = Some(Underway {
            in_flight,
            tail,
            connection,
            upstream,
        });
        Self::Passing(Box::new(Passing {
            body,
            underway,
            broken: None,
        }))
    }
}

impl Reply {
    /// It takes too long: its replica failed.
    pub(super) fn give_up(&mut self) {
        if let Self::Passing(passing) = self
            && let Some(underway) = &mut passing.underway
        {
            underway.in_flight.fail();
        }
    }
}

impl Passing {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        match ready!(self.poll_replica(cx)) {
            Some(Err(error)) => self.break_off(error, cx),
            frame => Poll::Ready(self.see(frame)),
        }
    }

    fn poll_replica(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.underway {
            Some(underway) => underway.connection.poll_body(&mut self.body, cx),
            None => Pin::new(&mut self.body).poll_frame(cx),
        }
    }

    fn see<E>(
        &mut self,
        frame: Option<Result<Frame<Bytes>, E>>,
    ) -> Option<Result<Frame<Bytes>, E>> {
        if let (Some(Ok(frame)), Some(underway)) = (&frame, &mut self.underway) {
            underway.see(frame);
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.end();
        }
        frame
    }

    /// One poll later, so that what came before the break is on its way to the client: who has
    /// seen a part of a reply does not take its request for unheard.
    fn break_off<T>(&mut self, error: hyper::Error, cx: &mut Context<'_>) -> Poll<T> {
        if let Some(underway) = &mut self.underway {
            underway.in_flight.fail();
        }
        self.broken = Some(error);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn end(&mut self) {
        if let Some(underway) = self.underway.take() {
            underway.end();
        }
    }
}

impl Drop for Passing {
    /// What has no body, to a HEAD request say, is never polled.
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }
}

impl Underway {
    fn see(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.in_flight.hear(data);
        }
        if let (Some(data), Some(tail)) = (frame.data_ref(), &mut self.tail) {
            tail.push(data);
        }
        if let Some(trailers) = frame.trailers_ref() {
            self.in_flight.used(Usage::in_headers(trailers));
        }
    }

    fn end(mut self) {
        self.in_flight.end();
        if let Some(tail) = &self.tail {
            self.in_flight.used(tail.usage());
        }
        self.upstream.give_back(self.connection);
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Own(says) => Poll::Ready(says.take().map(|says| Ok(Frame::data(says)))),
            Self::Passing(passing) => passing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(says) => says.is_none(),
            Self::Passing(passing) => passing.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(says) => SizeHint::with_exact(says.as_ref().map_or(0, Bytes::len) as u64),
            Self::Passing(passing) => passing.body.size_hint(),
        }
    }
}
