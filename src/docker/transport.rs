//! Requests over such connections, pooled; bollard's go the same way.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Result, anyhow};
use bollard::{BollardRequest, ClientVersion, Docker};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::timeout;
use tower_service::Service;

use super::dial::{Said, Wire, dial};
use super::failure;
use super::place::Place;

/// Longer than `ssh` is given to connect, so that its own words are heard.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);
/// In the middle of its work an engine may have better things to do for a while.
const GONE_AFTER: Duration = Duration::from_secs(60);

type Frames = Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>;

/// The body of a request, whole or as it is read.
pub(crate) type Body = Either<Full<Bytes>, StreamBody<Frames>>;

/// A connection that both ends speak something else than HTTP/1 on.
pub(crate) type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

pub(crate) fn empty() -> Body {
    full(Bytes::new())
}

pub(crate) fn full(bytes: Bytes) -> Body {
    Either::Left(Full::new(bytes))
}

pub(crate) fn streamed(bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    Either::Right(StreamBody::new(Box::pin(bytes.map_ok(Frame::data))))
}

#[derive(Clone)]
pub(super) struct Transport {
    dialer: Dialer,
    client: Client<Dialer, Body>,
}

#[derive(Clone)]
struct Dialer {
    place: Arc<Place>,
    said: Said,
}

impl Transport {
    pub(super) fn new(place: Place) -> Self {
        let dialer = Dialer {
            place: Arc::new(place),
            said: Said::default(),
        };
        let client = Client::builder(TokioExecutor::new()).build(dialer.clone());
        Self { dialer, client }
    }

    pub(super) fn place(&self) -> &Place {
        &self.dialer.place
    }

    pub(super) fn said(&self) -> String {
        let said = self.dialer.said.lock();
        said.map(|said| said.trim().to_owned()).unwrap_or_default()
    }

    pub(super) fn bollard(&self, patience: u64, version: &ClientVersion) -> Result<Docker> {
        let client = self.client.clone();
        let transport = move |mut request: BollardRequest| {
            let uri = at_the_engine(request.uri());
            let client = client.clone();
            async move {
                *request.uri_mut() = uri?;
                let answer = client.request(request).await;
                answer.map_err(|error| io::Error::other(error).into())
            }
        };
        let docker = Docker::connect_with_custom_transport(
            transport,
            Some("http://engine"),
            patience,
            version,
        );
        Ok(docker?)
    }

    /// The answer to the smallest question there is, which no engine that works leaves waiting.
    pub(super) async fn ping(&self) -> Result<Response<Incoming>> {
        self.soon(self.pinged()).await
    }

    /// An error where nobody answers; whatever else goes wrong, whoever works will meet.
    pub(super) async fn silence(&self) -> Option<anyhow::Error> {
        let pinged = timeout(GONE_AFTER, self.pinged()).await;
        pinged.is_err().then(|| self.silent(GONE_AFTER))
    }

    async fn pinged(&self) -> Result<Response<Incoming>> {
        let ping = Request::head("/_ping").body(empty())?;
        self.request(ping).await
    }

    async fn soon<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let answer = timeout(ANSWERS_WITHIN, answer).await;
        answer.unwrap_or_else(|_| Err(self.silent(ANSWERS_WITHIN)))
    }

    fn silent(&self, waited: Duration) -> anyhow::Error {
        failure::of_silence(waited, self.place(), &self.said())
    }

    /// The answer, or what the engine says is wrong.
    pub(super) async fn request(&self, mut request: Request<Body>) -> Result<Response<Incoming>> {
        *request.uri_mut() = at_the_engine(request.uri())?;
        let answer = self.client.request(request).await;
        let answer =
            answer.map_err(|error| failure::of_way(error.into(), self.place(), &self.said()))?;
        self.accepted(answer).await
    }

    pub(super) async fn upgrade(&self, request: Request<Body>) -> Result<Upgraded> {
        self.soon(self.upgraded(request)).await
    }

    async fn upgraded(&self, mut request: Request<Body>) -> Result<Upgraded> {
        request
            .headers_mut()
            .insert("host", hyper::header::HeaderValue::from_static("engine"));
        let trouble = |error| failure::of_way(error, self.place(), &self.said());
        let wire = dial(self.place(), &self.dialer.said).await;
        let wire = TokioIo::new(wire.map_err(|error| trouble(error.into()))?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(wire).await?;
        tokio::spawn(connection.with_upgrades());
        let answer = sender.send_request(request).await;
        let answer = self
            .accepted(answer.map_err(|error| trouble(error.into()))?)
            .await?;
        match answer.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(TokioIo::new(hyper::upgrade::on(answer).await?)),
            other => Err(anyhow!("the engine answered {other} and stays with HTTP")),
        }
    }

    async fn accepted(&self, answer: Response<Incoming>) -> Result<Response<Incoming>> {
        let status = answer.status();
        if !status.is_client_error() && !status.is_server_error() {
            return Ok(answer);
        }
        let body = answer.into_body().collect().await?.to_bytes();
        Err(failure::of_answer(status, &body, self.place()))
    }
}

/// Only its path counts; who it goes to is settled by the transport.
fn at_the_engine(uri: &Uri) -> Result<Uri, hyper::http::Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder()
        .scheme("http")
        .authority("engine")
        .path_and_query(path)
        .build()
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { place, said } = self.clone();
        Box::pin(async move { dial(&place, &said).await.map(TokioIo::new) })
    }
}
