//! The control socket's server side: HTTP in, orders to the keeper, JSON out.

use std::convert::Infallible;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::api::Request;
use super::home::{Home, SOCKET};
use super::refusal::Refused;
use super::supervise::Keeper;
use super::{errand, metrics};

/// Recipes and probes are small; this keeps a mistake from filling the memory.
const LARGEST_ORDER: usize = 8 * 1024 * 1024;
/// Changes within this time are told in one.
const IN_ONE: Duration = Duration::from_millis(10);
/// Counters move without anybody telling.
const AT_LEAST: Duration = Duration::from_secs(1);
/// When no more files can be opened, some are closed soon.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How often it is looked whether the socket is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

type Body = Either<Full<Bytes>, Channel<Bytes>>;
type Answer = Result<Response<Body>, Refused>;

/// Takes the place of a socket that an edge before this one left behind.
pub(super) fn open(home: &Home, socket: &str) -> io::Result<UnixListener> {
    let (path, _dir) = home.way_to(socket)?;
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the keeper has ended, and then until everyone has their answer.
pub(super) async fn serve(home: &Home, mut listener: UnixListener, keeper: Rc<Keeper>) {
    let mut connections = JoinSet::new();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let ended = keeper.ended();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            stream = accept(&listener) => {
                connections.spawn_local(converse(stream, Rc::clone(&keeper)));
            }
            Some(_) = connections.join_next() => {}
            _ = looks.tick() => {
                if let Some(anew) = opened_anew(home, &keeper) {
                    listener = anew;
                }
            }
            () = &mut ended => break,
        }
    }
    let _ = tokio::time::timeout(LAST_WORDS, connections.join_all()).await;
}

/// Where somebody removed the socket: nobody could give orders any more, nor another edge begin. One
/// that is there is left alone, as it may be a successor's.
fn opened_anew(home: &Home, keeper: &Keeper) -> Option<UnixListener> {
    if keeper.is_succeeded() || !matches!(home.socket().try_exists(), Ok(false)) {
        return None;
    }
    let opened = open(home, SOCKET);
    keeper.note(&match &opened {
        Ok(_) => format!("{} was gone; opened again", home.socket().display()),
        Err(error) => format!("cannot open {}: {error}", home.socket().display()),
    });
    opened.ok()
}

async fn accept(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
        }
    }
}

async fn converse(stream: UnixStream, keeper: Rc<Keeper>) {
    let service = service_fn(|request| answer(request, Rc::clone(&keeper)));
    let mut server = http1::Builder::new();
    let connection = server
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A client that goes away harms nobody but itself.
    tokio::select! {
        _ = &mut connection => return,
        () = keeper.ended() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(
    request: hyper::Request<Incoming>,
    keeper: Rc<Keeper>,
) -> Result<Response<Body>, Infallible> {
    Ok(route(request, &keeper)
        .await
        .unwrap_or_else(|refused| json(refused.status, &refused.refusal)))
}

async fn route(request: hyper::Request<Incoming>, keeper: &Rc<Keeper>) -> Answer {
    let (head, body) = request.into_parts();
    let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
    match (&head.method, path.as_slice()) {
        (&Method::GET, ["state"]) => Ok(json(StatusCode::OK, &keeper.state())),
        (&Method::GET, ["watch"]) => Ok(Response::new(Either::Right(watch(keeper)))),
        (&Method::GET, ["spent", epoch, place]) => spent(keeper, epoch, place),
        (&Method::GET, ["metrics"]) => Ok(text(metrics::text(&keeper.state()))),
        (&Method::PUT, ["listen"]) => done(keeper.listen(read(body).await?), keeper),
        (&Method::PUT, ["pools", pool]) => {
            done(keeper.scale(named(pool)?, read(body).await?), keeper)
        }
        (&Method::PUT, ["traffic"]) => done(keeper.traffic(read(body).await?), keeper),
        (&Method::POST, ["pools", pool, "request"]) => ask(keeper, pool, read(body).await?).await,
        (&Method::POST, ["succeed"]) => done(keeper.give_way(), keeper),
        (&Method::POST, ["stop"]) => done(keeper.stop(read(body).await?), keeper),
        (method, _) => Err(Refused::unknown(&format!("{method} {}", head.uri.path()))),
    }
}

/// The state after an order is its answer.
fn done(outcome: Result<(), Refused>, keeper: &Keeper) -> Answer {
    outcome.map(|()| json(StatusCode::OK, &keeper.state()))
}

async fn ask(keeper: &Keeper, pool: &str, request: Request) -> Answer {
    let (number, address) = keeper
        .ready_one(pool, request.replica)
        .ok_or_else(|| Refused::none_ready(pool))?;
    Ok(json(
        StatusCode::OK,
        &errand::run(number, address, request).await,
    ))
}

fn spent(keeper: &Keeper, epoch: &str, place: &str) -> Answer {
    let number = |text: &str| text.parse().map_err(|_| Refused::unknown(text));
    let spent = keeper.table().spent(number(epoch)?, number(place)?);
    Ok(json(StatusCode::OK, &spent))
}

/// A pool's name is part of file names and markers.
fn named(pool: &str) -> Result<&str, Refused> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match pool.bytes().all(letter) && (1..=128).contains(&pool.len()) && !pool.starts_with('.') {
        true => Ok(pool),
        false => Err(Refused::wrong(anyhow::anyhow!(
            "`{pool}` cannot be a pool's name: letters, digits, `-`, `_` and `.` can"
        ))),
    }
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Refused> {
    let body = Limited::new(body, LARGEST_ORDER).collect().await;
    let bytes = body
        .map_err(|error| Refused::wrong(anyhow::anyhow!("the order cannot be read: {error}")))?
        .to_bytes();
    serde_json::from_slice(&bytes)
        .map_err(|error| Refused::wrong(anyhow::anyhow!("the order is not understood: {error}")))
}

fn json(status: StatusCode, content: &impl Serialize) -> Response<Body> {
    respond(status, "application/json", line(content))
}

fn text(content: String) -> Response<Body> {
    respond(StatusCode::OK, "text/plain; version=0.0.4", content.into())
}

fn respond(status: StatusCode, kind: &'static str, content: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(content)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        "content-type",
        hyper::header::HeaderValue::from_static(kind),
    );
    response
}

/// What is told here is made of strings, numbers and lists, which are always JSON.
fn line(content: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(content).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

fn watch(keeper: &Rc<Keeper>) -> Channel<Bytes> {
    let (sender, body) = Channel::new(1);
    tokio::task::spawn_local(tell(Rc::clone(keeper), sender));
    body
}

/// Tells the state until nobody listens, or the edge has ended.
async fn tell(keeper: Rc<Keeper>, mut sender: Sender<Bytes>) {
    let (mut facts, mut table) = (keeper.changes(), keeper.table().changed());
    while sender.send_data(line(&keeper.state())).await.is_ok() {
        tokio::time::sleep(IN_ONE).await;
        tokio::select! {
            _ = facts.changed() => {}
            _ = table.changed() => {}
            () = tokio::time::sleep(AT_LEAST) => {}
            () = keeper.ended() => return,
        }
    }
}
