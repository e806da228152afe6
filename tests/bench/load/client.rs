//! One keep-alive connection, opened again when it has ended.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

const CONNECTION: &str = "connection";
/// Longer than any reply takes; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Reply {
    pub(crate) release: String,
    pub(crate) body: Bytes,
}

pub(crate) enum Failure {
    /// No reply, or one that says so.
    Failed(String),
    /// A reply that began and did not end.
    Cut(String),
}

pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
    /// What is waited for.
    awaits: &'static str,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let connection = None;
        Self {
            address,
            connection,
            awaits: CONNECTION,
        }
    }

    /// All of a reply; one without status 200 is a failure.
    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &'static str,
        conversation: Option<&str>,
    ) -> Result<Reply, Failure> {
        let asked = timeout(PATIENCE, self.asked(method, path, conversation)).await;
        let late = || Failure::Failed(format!("no {} in time", self.awaits));
        let reply = asked.unwrap_or_else(|_| Err(late()));
        if reply.is_err() {
            self.connection = None;
        }
        reply
    }

    async fn asked(
        &mut self,
        method: Method,
        path: &'static str,
        conversation: Option<&str>,
    ) -> Result<Reply, Failure> {
        let failed = |error: anyhow::Error| Failure::Failed(format!("{error:#}"));
        self.awaits = CONNECTION;
        let connection = self.connected().await.map_err(failed)?;
        let mut request = Request::builder().method(method).uri(path);
        if let Some(name) = conversation {
            request = request.header("x-conversation-id", name);
        }
        let request = request.header(HOST, "bot").body(Full::default());
        let request = request.map_err(|error| failed(error.into()))?;
        let response = connection.send_request(request);
        self.awaits = "reply";
        let response = response.await.map_err(|error| failed(error.into()))?;
        self.awaits = "end of a reply";
        whole(response).await
    }

    async fn connected(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        let open = match self.connection.take() {
            Some(mut open) => open.ready().await.is_ok().then_some(open),
            None => None,
        };
        let open = match open {
            Some(open) => open,
            None => connect(self.address).await?,
        };
        Ok(self.connection.insert(open))
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    spawn_local(connection);
    Ok(sender)
}

async fn whole(response: Response<hyper::body::Incoming>) -> Result<Reply, Failure> {
    let status = response.status();
    let release = response.headers().get("x-release");
    let release = release.and_then(|value| value.to_str().ok());
    let release = release.unwrap_or_default().to_owned();
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| Failure::Cut(error.to_string()))?;
    let body = body.to_bytes();
    match status.as_u16() {
        200 => Ok(Reply { release, body }),
        _ => Err(Failure::Failed(format!(
            "{status}: {}",
            String::from_utf8_lossy(&body)
        ))),
    }
}
