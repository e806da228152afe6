//! Connections to replicas, kept by one worker and never shared with another.
//!
//! A connection is driven by the request that uses it, on that request's task: a reply's way needs
//! no other task to wake. An idle one is kept for a second only: servers close theirs after two
//! (gunicorn) or more, and a request that crosses such a close could not be sent again.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::proxy::Sent;
use super::replica::Replica;
use super::wire::Wire;

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const IDLE_AT_MOST: Duration = Duration::from_secs(1);

/// Idle connections, the longest idle first.
#[derive(Default)]
pub(super) struct Upstream {
    idle: RefCell<Vec<(Instant, Connection)>>,
}

type Driven = Pin<Box<dyn Future<Output = hyper::Result<()>>>>;

pub(super) struct Connection {
    sender: SendRequest<Sent>,
    /// `None` once it is driven by a task of its own, or has ended.
    driven: Option<Driven>,
    replica: Arc<Replica>,
}

/// Why there is no reply.
pub(super) struct NoReply {
    pub(super) why: String,
    /// Given back if none of it was sent.
    pub(super) unsent: Option<Box<Request<Sent>>>,
    /// The client broke its request off.
    pub(super) by_client: bool,
}

impl Upstream {
    /// The idle connection that was used last. Should its replica have closed it meanwhile, what is
    /// to be sent comes back unsent: a connection looks for its end before it writes.
    pub(super) fn take(&self, replica: &Arc<Replica>) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let at = idle.iter().rposition(|(_, connection)| {
            Arc::ptr_eq(&connection.replica, replica) && connection.sender.is_ready()
        })?;
        let (since, connection) = idle.remove(at);
        (since.elapsed() < IDLE_AT_MOST).then_some(connection)
    }

    /// A replica that leaves must not be kept from stopping by idle connections.
    pub(super) fn give_back(&self, connection: Connection) {
        if connection.replica.is_ready() && !connection.sender.is_closed() {
            let mut idle = self.idle.borrow_mut();
            idle.push((Instant::now(), connection));
        }
    }

    /// Closes connections to replicas that are not ready, and those idle for too long.
    fn sweep(&self) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|(since, connection)| {
            connection.replica.is_ready() && since.elapsed() < IDLE_AT_MOST
        });
    }
}

impl Connection {
    pub(super) async fn open(replica: &Arc<Replica>) -> Result<Self, String> {
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(replica.address()));
        let stream = stream
            .await
            .map_err(|_| "it takes no connection".to_owned());
        let stream = stream?.map_err(|error| error.to_string())?;
        let connection = Self::over(stream, replica).await;
        connection.map_err(|error| error.to_string())
    }

    async fn over(stream: TcpStream, replica: &Arc<Replica>) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(Wire::new(stream)).await?;
        Ok(Self {
            sender,
            driven: Some(Box::pin(connection.with_upgrades())),
            replica: Arc::clone(replica),
        })
    }

    pub(super) async fn send(
        &mut self,
        request: Box<Request<Sent>>,
    ) -> Result<Response<Incoming>, NoReply> {
        // A client that sends on and does not read must not hold up its own request.
        if !request.body().is_in_memory() {
            self.let_go();
        }
        let mut reply = pin!(self.sender.try_send_request(*request));
        let reply = std::future::poll_fn(|cx| {
            drive(&mut self.driven, cx);
            reply.as_mut().poll(cx)
        });
        reply.await.map_err(|mut error| NoReply {
            why: error.error().to_string(),
            by_client: error.error().is_user(),
            unsent: error.take_message().map(Box::new),
        })
    }

    pub(super) fn poll_body(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<hyper::body::Frame<bytes::Bytes>>>> {
        // What came together with the head is there already.
        if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        self.drive(cx);
        Pin::new(body).poll_frame(cx)
    }

    /// Leaves it to a task of its own.
    pub(super) fn let_go(&mut self) {
        if let Some(driven) = self.driven.take() {
            spawn_local(driven);
        }
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driven, cx);
    }
}

/// How it ended is told by the reply that it carries.
fn drive(driven: &mut Option<Driven>, cx: &mut Context<'_>) {
    if let Some(connection) = driven
        && connection.as_mut().poll(cx).is_ready()
    {
        *driven = None;
    }
}

impl NoReply {
    pub(super) fn unsent(why: String, request: Box<Request<Sent>>) -> Self {
        Self {
            why,
            unsent: Some(request),
            by_client: false,
        }
    }

    /// The replica may have acted upon it.
    pub(super) fn lost(why: String) -> Self {
        Self {
            why,
            unsent: None,
            by_client: false,
        }
    }
}

/// Idle connections of replicas that leave are closed as soon as that is known.
pub(super) async fn keep_tidy(upstream: Rc<Upstream>, mut changed: watch::Receiver<u64>) {
    // `Err` of the first is its time, `Err` of the second the table's end.
    while !matches!(timeout(IDLE_AT_MOST, changed.changed()).await, Ok(Err(_))) {
        upstream.sweep();
    }
}
