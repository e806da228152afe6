//! The control socket's client side. Each order goes over a connection of its own, so an edge
//! that was killed and came back in between is not noticed.

mod spent;
mod start;
mod watch;

use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

pub(crate) use watch::Watch;

use super::api::{Listen, Refusal, Reply, Request, ScalePool, State, Stop, Traffic};
use super::home::{Home, SOCKET};
use crate::advice::advice;
use crate::docker::Link;

/// Orders are taken at once; only a stuck edge needs longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// Beyond what a request to a replica may take.
const PASSES_ON_WITHIN: Duration = Duration::from_secs(5);

/// An edge that answers.
#[derive(Clone)]
pub(crate) struct Edge {
    way: Way,
}

/// How it is reached.
#[derive(Clone)]
enum Way {
    Socket(Home),
    /// Its container's name, and who passes on what is sent there.
    Link(String, Link),
}

impl Way {
    fn lost(&self) -> Lost {
        let place = self.to_string();
        Lost { place }
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the edge at {}", self.way)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(home) => home.socket().display().fmt(f),
            Self::Link(container, _) => write!(f, "the container {container}"),
        }
    }
}

/// The edge died under an order: nobody knows whether it was carried out.
#[derive(Debug)]
pub(crate) struct Lost {
    place: String,
}

#[cfg(test)]
impl Lost {
    pub(crate) fn at(place: &str) -> Self {
        let place = place.to_owned();
        Self { place }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the edge at {} does not answer", self.place)
    }
}

impl std::error::Error for Lost {}

/// The edge's own words, and whether a later command has taken over.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) refusal: Refusal,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.refusal.error)?;
        match &self.refusal.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// Another command has given orders since.
    pub(crate) fn is_stale(&self) -> bool {
        self.status == 409
    }
}

impl Edge {
    /// `None`: no edge runs there.
    pub(crate) async fn connect(state_dir: &Path) -> Result<Option<Edge>> {
        let Some(home) = Home::find(state_dir) else {
            return Ok(None);
        };
        match dial(&home).await {
            Ok(_) => Ok(Some(Edge {
                way: Way::Socket(home),
            })),
            Err(error) if nobody_is_there(&error) => Ok(None),
            Err(error) => Err(error)
                .with_context(|| format!("cannot reach the edge at {}", home.socket().display())),
        }
    }

    /// One that runs in a container: what is sent over the link is passed on to its socket.
    pub(crate) fn behind(container: &str, link: Link) -> Self {
        Self {
            way: Way::Link(container.to_owned(), link),
        }
    }

    pub(crate) async fn state(&self) -> Result<State> {
        self.get("/state").await
    }

    pub(crate) async fn watch(&self) -> Result<Watch> {
        let body = self.send("GET", "/watch", Bytes::new());
        let body = within(ANSWERS_WITHIN, &self.way, body).await?;
        Ok(Watch::new(self.way.clone(), body))
    }

    pub(crate) async fn listen(&self, order: &Listen) -> Result<State> {
        self.order("PUT", "/listen", order).await
    }

    pub(crate) async fn scale(&self, pool: &str, order: &ScalePool) -> Result<State> {
        self.order("PUT", &format!("/pools/{pool}"), order).await
    }

    pub(crate) async fn traffic(&self, order: &Traffic) -> Result<State> {
        self.order("PUT", "/traffic", order).await
    }

    /// To one ready replica of the pool.
    pub(crate) async fn request(&self, pool: &str, request: &Request) -> Result<Reply> {
        let patience = Duration::from_millis(request.within) + PASSES_ON_WITHIN;
        let body = serde_json::to_vec(request)?;
        let path = format!("/pools/{pool}/request");
        understand(&self.ask("POST", &path, body, patience).await?)
    }

    /// Prometheus text.
    pub(crate) async fn metrics(&self) -> Result<String> {
        let bytes = self.ask("GET", "/metrics", Vec::new(), ANSWERS_WITHIN);
        let bytes = bytes.await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Answers at once; the watch ends when the edge has.
    pub(crate) async fn stop(&self, order: &Stop) -> Result<State> {
        self.order("POST", "/stop", order).await
    }

    /// Another edge is waiting in the same folder to take its place.
    pub(super) async fn succeed(&self) -> Result<State> {
        let answer = self.ask("POST", "/succeed", Vec::new(), ANSWERS_WITHIN);
        understand(&answer.await?)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        understand(&self.ask("GET", path, Vec::new(), ANSWERS_WITHIN).await?)
    }

    async fn order<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        order: &impl Serialize,
    ) -> Result<T> {
        let body = serde_json::to_vec(order)?;
        understand(&self.ask(method, path, body, ANSWERS_WITHIN).await?)
    }

    /// The whole answer.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Bytes> {
        let answer = async {
            let answer = self.send(method, path, body.into()).await?;
            whole(answer).await.with_context(|| self.way.lost())
        };
        within(patience, &self.way, answer).await
    }

    /// Refusals become errors.
    async fn send(&self, method: &str, path: &str, body: Bytes) -> Result<Incoming> {
        let answer = match &self.way {
            Way::Socket(home) => over_socket(home, method, path, body).await,
            Way::Link(_, link) => link.send(method, path, body).await,
        };
        let answer = answer.with_context(|| self.way.lost())?;
        match answer.status() {
            status if status.is_success() => Ok(answer.into_body()),
            hyper::StatusCode::BAD_GATEWAY => Err(self.way.lost().into()),
            status => Err(refused(status.as_u16(), &whole(answer.into_body()).await?)),
        }
    }
}

async fn over_socket(
    home: &Home,
    method: &str,
    path: &str,
    body: Bytes,
) -> Result<hyper::Response<Incoming>> {
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "edge")
        .body(Full::new(body))?;
    pass_on(home, request).await
}

/// What somebody else asks of the edge in this folder, asked for them.
pub(crate) async fn passed_on<B>(
    state_dir: &Path,
    request: hyper::Request<B>,
) -> Result<hyper::Response<Incoming>>
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let home = Home::find(state_dir).context("no edge was ever here")?;
    pass_on(&home, request).await
}

async fn pass_on<B>(home: &Home, request: hyper::Request<B>) -> Result<hyper::Response<Incoming>>
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let stream = dial(home).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the reply's last byte, or when the reply is dropped.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

async fn dial(home: &Home) -> io::Result<UnixStream> {
    let (path, _dir) = home.way_to(SOCKET)?;
    UnixStream::connect(path).await
}

/// An edge that was stopped or hangs keeps its socket, and would be waited for without end.
async fn within<T>(
    patience: Duration,
    way: &Way,
    answer: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(stuck(patience, way).await),
    }
}

async fn stuck(patience: Duration, way: &Way) -> anyhow::Error {
    let patience = humantime::format_duration(patience);
    let what = format!("the edge at {way} takes connections and has not answered for {patience}");
    let hint = match way {
        Way::Socket(home) => end_it(home).await,
        Way::Link(_, link) if link.is_lost().await => return way.lost().into(),
        Way::Link(container, _) => {
            format!("docker restart {container}: replicas go on")
        }
    };
    advice(what, hint)
}

async fn end_it(home: &Home) -> String {
    let socket = dial(home).await.ok();
    let pid = socket.and_then(|socket| socket.peer_cred().ok()?.pid());
    let end = match pid {
        Some(pid) => format!("`kill -9 {pid}` ends it if it is stuck"),
        None => "end it if it is stuck".to_owned(),
    };
    let log = home.log();
    format!(
        "see its log, {}; {end}: replicas go on, and the next command starts it again",
        log.display()
    )
}

/// An edge that dies under a caller's hands resets the connection.
fn nobody_is_there(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, NotFound};
    matches!(error.kind(), NotFound | ConnectionRefused | ConnectionReset)
}

async fn whole(body: Incoming) -> Result<Bytes> {
    Ok(body
        .collect()
        .await
        .context("the edge broke off its answer")?
        .to_bytes())
}

fn understand<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .context("the edge's answer is not understood; is it of another version of agentctl?")
}

fn refused(status: u16, body: &[u8]) -> anyhow::Error {
    match serde_json::from_slice(body) {
        Ok(refusal) => Refused { status, refusal }.into(),
        Err(_) => anyhow!(
            "the edge answers {status}: {}",
            String::from_utf8_lossy(body)
        ),
    }
}
