//! Reading a small JSON body before it is sent, since it may name its conversation.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;

use super::Sent;
use crate::edge::usage::is_json;

const FORM: &[u8] = b"application/x-www-form-urlencoded";

const AT_MOST: u64 = 1 << 20;

pub(super) fn is_worth_it(head: &Parts, body: &Incoming) -> bool {
    if body.is_end_stream() || body.size_hint().lower() > AT_MOST {
        return false;
    }
    match head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) {
        Some(kind) if is_json(kind) => true,
        // `curl -d '{…}'` says it is a form. Only a body of a known length is not held up by a look.
        None | Some(FORM) => body.size_hint().exact().is_some(),
        Some(_) => false,
    }
}

/// The body to send, and all of it if it was short enough to read.
pub(super) async fn start_of(mut body: Incoming) -> (Sent, Option<Bytes>) {
    let mut start = BytesMut::new();
    while start.len() as u64 <= AT_MOST {
        match next(&mut body)
            .await
            .map(|frame| frame.map(Frame::into_data))
        {
            Some(Ok(Ok(data))) => start.extend_from_slice(&data),
            Some(Ok(Err(_trailers))) => {}
            // The rest breaks off again when it is sent.
            Some(Err(_)) => break,
            None => {
                let whole = start.freeze();
                return (Sent::whole(whole.clone()), Some(whole));
            }
        }
    }
    (Sent::resumed(start.freeze(), body), None)
}

async fn next(body: &mut Incoming) -> Option<Result<Frame<Bytes>, hyper::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}
