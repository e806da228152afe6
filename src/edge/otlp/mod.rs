//! What agents tell of their calls: of the model and of tools, as OpenTelemetry's libraries export
//! it over HTTP.
//!
//! Each replica is told an address of its own, so that what it tells is its own, whatever names it
//! gives itself. Nothing is told back but what was not taken, and what cannot be read harms nobody.

mod messages;
mod points;
mod series;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::rc::Rc;

use anyhow::{Error, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(super) use points::Point;
pub(super) use series::Series;

use super::supervise::Keeper;
use crate::otel::TELLS_ELSEWHERE;
use messages::{PartialSuccess, Taken};
use points::Format;
use series::MOST_SERIES;

/// In its own network, an edge that is a container has the port to itself: users reach it at another.
pub(crate) const PORT: u16 = 4318;

/// Of one export, as it is sent.
const LARGEST: usize = 4 << 20;
/// A library tells each minute where it is told nothing else; a step may be over by then.
const EVERY_MS: &str = "5000";

type Answer = Response<Full<Bytes>>;

/// Variables for a replica's library; none where the user has said where figures go. `base` is where
/// this edge hears, as the replica reaches it; `is_set`: whether the agent has that variable.
pub(super) fn variables(
    base: &str,
    pool: &str,
    number: u32,
    is_set: impl Fn(&str) -> bool,
) -> Vec<(&'static str, String)> {
    if TELLS_ELSEWHERE.into_iter().any(&is_set) {
        return Vec::new();
    }
    let all = [
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            format!("{base}/{pool}/{number}/v1/metrics"),
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
            "http/protobuf".to_owned(),
        ),
        ("OTEL_METRIC_EXPORT_INTERVAL", EVERY_MS.to_owned()),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            format!("agentctl.release={pool},agentctl.replica={number}"),
        ),
    ];
    all.into_iter().filter(|(name, _)| !is_set(name)).collect()
}

/// Until this edge ends.
pub(super) async fn serve(listener: TcpListener, keeper: Rc<Keeper>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn_local(converse(stream, Rc::clone(&keeper)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, keeper: Rc<Keeper>) {
    let service = service_fn(|request| answer(request, Rc::clone(&keeper)));
    let mut server = http1::Builder::new();
    let connection = server
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // A library that goes away harms nobody but itself.
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>, keeper: Rc<Keeper>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    let (pool, number) = match (&head.method, path.as_slice()) {
        (&Method::POST, [pool, number, "v1", "metrics"]) => (*pool, number.parse::<u32>()),
        _ => {
            return Ok(refused(
                StatusCode::NOT_FOUND,
                "only metrics are heard here",
            ));
        }
    };
    let Some(number) = number.ok().filter(|number| keeper.has(pool, *number)) else {
        return Ok(refused(StatusCode::NOT_FOUND, "there is no such replica"));
    };
    Ok(match heard(&head.headers, body).await {
        Ok((points, format)) => taken(format, keeper.told(pool, number, points)),
        Err((status, error)) => refused(status, &format!("{error:#}")),
    })
}

async fn heard(
    headers: &HeaderMap,
    body: Incoming,
) -> Result<(Vec<points::Point>, Format), (StatusCode, Error)> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let wrong = |status, says: &str| (status, Error::msg(says.to_owned()));
    let unsupported = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let format = text(CONTENT_TYPE).and_then(Format::of);
    let format = format.ok_or_else(|| wrong(unsupported, "neither protobuf nor JSON"))?;
    let is_packed = match text(CONTENT_ENCODING) {
        None | Some("identity") => false,
        Some("gzip") => true,
        Some(_) => return Err(wrong(unsupported, "packed, and not with gzip")),
    };
    let body = Limited::new(body, LARGEST).collect().await;
    let body = body.map_err(|_| wrong(StatusCode::PAYLOAD_TOO_LARGE, "it did not come whole"))?;
    let points = points::points(&body.to_bytes(), format, is_packed);
    let points = points.map_err(|error| (StatusCode::BAD_REQUEST, error))?;
    Ok((points, format))
}

/// In the words that the request was in; `rejected`: points that were not taken.
fn taken(format: Format, rejected: u64) -> Answer {
    let (kind, body) = said(format, rejected);
    respond(StatusCode::OK, kind, body)
}

fn said(format: Format, rejected: u64) -> (&'static str, Vec<u8>) {
    let partial = |rejected: u64| PartialSuccess {
        rejected_data_points: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: format!(
            "a replica may have {MOST_SERIES} series, and these are beyond that: leave out \
             attributes that differ with each call"
        ),
    };
    let taken = Taken {
        partial_success: (rejected > 0).then(|| partial(rejected)),
    };
    match format {
        Format::Protobuf => ("application/x-protobuf", taken.encode_to_vec()),
        // A number and a text are always JSON.
        Format::Json => (
            "application/json",
            serde_json::to_vec(&taken).unwrap_or_default(),
        ),
    }
}

fn refused(status: StatusCode, says: &str) -> Answer {
    let body = format!("{says}\n").into_bytes();
    respond(status, "text/plain; charset=utf-8", body)
}

fn respond(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
