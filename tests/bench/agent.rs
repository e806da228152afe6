//! The agent that figures are measured with: this program once more, told by its environment.
//!
//! `GET /` and `POST /chat` answer at once, `GET /sse/SECONDS` streams; each tells its release in
//! `x-release`. With `LEAVES` it answers what it was asked when it is told to end, and goes once
//! nobody is connected; nobody else drains it.

use std::cell::Cell;
use std::convert::Infallible;
use std::env;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Interval, interval};

/// Between two events of a stream.
const BEAT: Duration = Duration::from_millis(100);
pub(crate) const LAST_EVENT: &str = "event: end";

type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

struct Agent {
    release: HeaderValue,
    fails: bool,
    ready_at: Instant,
    leaves: Cell<bool>,
    /// Connections.
    open: Cell<u32>,
}

pub(crate) fn serve() -> Result<()> {
    let port: u16 = variable("PORT").parse()?;
    let wait = variable("READY_AFTER").parse().unwrap_or(0.0);
    let agent = Agent {
        release: HeaderValue::from_str(&variable("AGENT_RELEASE"))?,
        fails: variable("FAIL") == "1",
        ready_at: Instant::now() + Duration::from_secs_f64(wait),
        leaves: Cell::new(false),
        open: Cell::new(0),
    };
    let host = env::var("HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let agent = Rc::new(agent);
    LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            ended = accept(agent.clone(), (host, port)) => ended,
            ended = agent.left() => ended,
        }
    })
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

async fn accept(agent: Rc<Agent>, address: (String, u16)) -> Result<()> {
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(connection(agent.clone(), stream));
    }
}

/// One that breaks off is the other side's affair.
async fn connection(agent: Rc<Agent>, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    agent.open.set(agent.open.get() + 1);
    let answers = agent.clone();
    let answer = service_fn(move |request| {
        let agent = answers.clone();
        async move { agent.answer(request).await }
    });
    let server = hyper::server::conn::http1::Builder::new();
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
    agent.open.set(agent.open.get() - 1);
}

impl Agent {
    async fn answer(&self, request: Request<Incoming>) -> Result<Reply, hyper::Error> {
        let path = request.uri().path().to_owned();
        request.into_body().collect().await?;
        Ok(match path.split_at(path.len().min(5)) {
            ("/read", "y") if Instant::now() < self.ready_at => self.text(503),
            ("/sse/", seconds) => self.stream(seconds.parse().unwrap_or(0)),
            ("/", "") if self.fails => self.text(500),
            _ => self.text(200),
        })
    }

    /// Told to end, and nobody is connected any more.
    async fn left(&self) -> Result<()> {
        if variable("LEAVES").is_empty() {
            return std::future::pending().await;
        }
        signal(SignalKind::terminate())?.recv().await;
        self.leaves.set(true);
        let mut look = interval(BEAT);
        while self.open.get() > 0 {
            look.tick().await;
        }
        Ok(())
    }

    fn text(&self, status: u16) -> Reply {
        let release = Bytes::copy_from_slice(self.release.as_bytes());
        let mut reply = self.reply(Full::new(release).boxed_unsync());
        *reply.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        reply
    }

    fn stream(&self, seconds: u32) -> Reply {
        let events = Events {
            release: Bytes::copy_from_slice(self.release.as_bytes()),
            left: Some(seconds * 10),
            beat: interval(BEAT),
        };
        let mut reply = self.reply(events.boxed_unsync());
        let kind = HeaderValue::from_static("text/event-stream");
        reply.headers_mut().insert(CONTENT_TYPE, kind);
        reply
    }

    fn reply(&self, body: UnsyncBoxBody<Bytes, Infallible>) -> Reply {
        let mut reply = Response::new(body);
        let release = self.release.clone();
        reply.headers_mut().insert("x-release", release);
        if self.leaves.get() {
            let close = HeaderValue::from_static("close");
            reply.headers_mut().insert(CONNECTION, close);
        }
        reply
    }
}

struct Events {
    release: Bytes,
    /// `None`: the last event was told.
    left: Option<u32>,
    beat: Interval,
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.left else {
            return Poll::Ready(None);
        };
        ready!(self.beat.poll_tick(context));
        self.left = left.checked_sub(1);
        let kind = if left == 0 { LAST_EVENT } else { "event: beat" };
        let release = String::from_utf8_lossy(&self.release);
        let event = format!("{kind}\ndata: {release}\n\n");
        Poll::Ready(Some(Ok(Frame::data(event.into()))))
    }
}
