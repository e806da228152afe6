//! As much of gRPC as a session needs: messages behind a prefix of five bytes, over HTTP/2.

use std::convert::Infallible;
use std::pin::Pin;

use anyhow::{Context, Result, bail};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, http};
use prost::Message;
use tokio::sync::mpsc;

/// A message longer than this many bytes is none of ours.
const LONGEST: usize = 16 * 1024 * 1024;
const PREFIX: usize = 5;

type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>;
pub(super) type Reply = Response<StreamBody<Frames>>;

/// How a call ended, in gRPC's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Ok = 0,
    NotFound = 5,
    Unimplemented = 12,
    Internal = 13,
}

/// Whole messages out of a body.
pub(super) struct Messages {
    body: Incoming,
    buffer: BytesMut,
}

impl Messages {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
        }
    }

    /// `None` once the other side has nothing more to say.
    pub(super) async fn next<M: Message + Default>(&mut self) -> Result<Option<M>> {
        loop {
            if let Some(message) = split(&mut self.buffer)? {
                return Ok(Some(M::decode(message)?));
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame?;
            self.buffer
                .extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        }
    }

    pub(super) async fn only<M: Message + Default>(&mut self) -> Result<M> {
        self.next().await?.context("a call without a message")
    }
}

pub(super) fn split(buffer: &mut BytesMut) -> Result<Option<Bytes>> {
    let Some(prefix) = buffer.first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let [compressed, length @ ..] = *prefix;
    let length = u32::from_be_bytes(length) as usize;
    if compressed != 0 || length > LONGEST {
        bail!("a message that is compressed or too long");
    }
    if buffer.len() < PREFIX + length {
        return Ok(None);
    }
    buffer.advance(PREFIX);
    Ok(Some(buffer.split_to(length).freeze()))
}

pub(super) fn put(message: &impl Message, buffer: &mut BytesMut) -> Result<()> {
    let length = message.encoded_len();
    buffer.reserve(PREFIX + length);
    buffer.put_u8(0);
    buffer.put_u32(length.try_into()?);
    Ok(message.encode(buffer)?)
}

/// One message, and the end.
pub(super) fn answer(message: &impl Message) -> Result<Reply> {
    let mut buffer = BytesMut::new();
    put(message, &mut buffer)?;
    let frames = [Frame::data(buffer.freeze()), end(Code::Ok)];
    Ok(reply(Box::pin(stream::iter(frames.map(Ok))))?)
}

pub(super) fn refuse(code: Code) -> Result<Reply> {
    Ok(reply(Box::pin(stream::iter([Ok(end(code))])))?)
}

/// What is sent while it is made; whoever makes it sends the `end`, too.
pub(super) fn streamed(frames: mpsc::Receiver<Frame<Bytes>>) -> Result<Reply> {
    let next = |mut frames: mpsc::Receiver<Frame<Bytes>>| async {
        let frame = frames.recv().await?;
        Some((Ok(frame), frames))
    };
    Ok(reply(Box::pin(stream::unfold(frames, next)))?)
}

pub(super) fn end(code: Code) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code as u16));
    Frame::trailers(trailers)
}

fn reply(frames: Frames) -> Result<Reply, http::Error> {
    Response::builder()
        .header("content-type", "application/grpc")
        .body(StreamBody::new(frames))
}
