//! The public socket, and the threads that serve it.
//!
//! Each worker has a runtime of its own, and all that belongs to a connection stays on its worker:
//! no lock but the table's is met on a request's way.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::TcpStream as StdStream;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet, spawn_local};

use super::{Proxy, copy};
use crate::edge::table::Table;
use crate::edge::upstream;
use crate::edge::wire::Wire;

/// Clients get this long to send a head, and to think before it: an idle connection that the edge
/// closes may cross with a request. Clients commonly close theirs after 60 or 90 seconds.
const HEAD_WITHIN: Duration = Duration::from_secs(120);
const MOST_HEADER_BYTES: usize = 64 * 1024;
/// When no more files can be opened, some are closed soon.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The proxy at work, until it is stopped or dropped.
pub(crate) struct Server {
    stop: watch::Sender<bool>,
    accepting: AbortHandle,
    ended: mpsc::Receiver<Infallible>,
}

impl Server {
    /// Takes no more connections, closes idle ones, and resolves when the last reply has ended.
    /// Tunnels are not waited for: they belong to replicas, which are quiet without them.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = self.ended.recv().await;
    }

    /// Takes no more connections.
    pub(crate) fn rest(&self) {
        self.accepting.abort();
    }

    /// Resolves when clients have ended theirs, tunnels too; after `rest`.
    pub(crate) async fn fade(mut self) {
        let _ = self.ended.recv().await;
    }
}

/// Serves `listener` with `workers` threads, from within a tokio runtime.
///
/// # Errors
/// If the system gives no threads or files.
pub(crate) fn serve(
    listener: std::net::TcpListener,
    table: &Arc<Table>,
    workers: usize,
) -> io::Result<Server> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (stop, stopped) = watch::channel(false);
    let (alive, ended) = mpsc::channel(1);
    let workers = (0..workers.max(1))
        .map(|_| start(Arc::clone(table), stopped.clone(), alive.clone()))
        .collect::<io::Result<Vec<_>>>()?;
    let accepting = tokio::spawn(hand_out(listener, workers, stopped)).abort_handle();
    Ok(Server {
        stop,
        accepting,
        ended,
    })
}

/// New connections go to the workers in turn.
async fn hand_out(
    listener: TcpListener,
    workers: Vec<mpsc::UnboundedSender<StdStream>>,
    mut stopped: watch::Receiver<bool>,
) {
    for worker in workers.iter().cycle() {
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            _ = stopped.changed() => return,
        };
        // It is bound to this runtime until it is taken out of it.
        if let Ok(stream) = stream.into_std() {
            let _ = worker.send(stream);
        }
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
        }
    }
}

fn start(
    table: Arc<Table>,
    stopped: watch::Receiver<bool>,
    alive: mpsc::Sender<Infallible>,
) -> io::Result<mpsc::UnboundedSender<StdStream>> {
    let (give, streams) = mpsc::unbounded_channel();
    let thread = std::thread::Builder::new().name("proxy".into());
    let (say, built) = std::sync::mpsc::sync_channel(1);
    thread.spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        let runtime = runtime.map_err(|error| drop(say.send(Err(error))));
        if let Ok(runtime) = runtime {
            let _ = say.send(Ok(()));
            runtime.block_on(work(table, streams, stopped));
        }
        drop(alive);
    })?;
    built.recv().map_err(io::Error::other)??;
    Ok(give)
}

async fn work(
    table: Arc<Table>,
    mut streams: mpsc::UnboundedReceiver<StdStream>,
    stopped: watch::Receiver<bool>,
) {
    let changed = table.changed();
    let (jobs, waiting) = copy::queue();
    let proxy = Rc::new(Proxy::new(Arc::clone(&table), jobs));
    let copies = spawn_local(copy::work(Rc::clone(&proxy), waiting));
    let tidy = spawn_local(upstream::keep_tidy(proxy.upstream(), changed));
    let mut open = JoinSet::new();
    while let Some(stream) = streams.recv().await {
        open.spawn_local(talk(Rc::clone(&proxy), stream, stopped.clone()));
        while open.try_join_next().is_some() {}
    }
    open.join_all().await;
    if table.is_handed_over() {
        table.quiet().await;
    }
    tidy.abort();
    copies.abort();
}

/// One client's connection. What goes wrong on it ends it, and is the client's to see.
async fn talk(proxy: Rc<Proxy>, stream: StdStream, stopped: watch::Receiver<bool>) {
    let Ok((stream, client)) = adopt(stream) else {
        return;
    };
    let service = service_fn(|request| Rc::clone(&proxy).answer(request, client.clone()));
    let io = Wire::new(stream);
    let connection = http().serve_connection(io, service).with_upgrades();
    until_stopped(pin!(connection), |c| c.graceful_shutdown(), stopped).await;
}

/// Drives a connection; told to stop, it ends after the reply that is underway.
async fn until_stopped<C: Future>(
    mut connection: Pin<&mut C>,
    end: fn(Pin<&mut C>),
    stopped: watch::Receiver<bool>,
) {
    let mut watching = stopped.clone();
    let mut stop = pin!(watching.changed());
    // Polled once, it wakes this task when it is time; polled always, it would slow each request.
    let mut stopping = false;
    poll_fn(|cx| Poll::Ready(stop.as_mut().poll(cx).is_ready())).await;
    poll_fn(|cx| {
        if !stopping && stopped.has_changed().unwrap_or(true) {
            stopping = true;
            end(connection.as_mut());
        }
        connection.as_mut().poll(cx)
    })
    .await;
}

fn adopt(stream: StdStream) -> io::Result<(TcpStream, HeaderValue)> {
    let stream = TcpStream::from_std(stream)?;
    stream.set_nodelay(true)?;
    let client = stream.peer_addr()?.ip().to_canonical().to_string();
    let client = HeaderValue::try_from(client).map_err(io::Error::other)?;
    Ok((stream, client))
}

/// Without `pipeline_flush`: with it, a large reply fills memory instead of waiting for its client.
fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_header_size(MOST_HEADER_BYTES);

    http
}
