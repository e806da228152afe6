//! HTTP/2 with a program in a container, over the streams that the engine gives: no port is opened,
//! and it works wherever the engine itself is reached.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result};
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::exec::StartExecResults;
use bollard::models::{ContainerCreateBody, ExecConfig};
use bollard::query_parameters::{AttachContainerOptionsBuilder, CreateContainerOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::AsyncWrite;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use super::Engine;

/// An end that shows no life for their sum is gone.
const PING_EVERY: Duration = Duration::from_secs(5);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// It ends when it is dropped, and so does the program.
#[derive(Clone)]
pub(crate) struct Link {
    requests: SendRequest<Full<Bytes>>,
    /// Its sender goes with the connection.
    open: watch::Receiver<()>,
}

impl Link {
    /// `None`: there is no such container, or it does not run.
    pub(crate) async fn into_running(
        engine: &Engine,
        container: &str,
        command: &[&str],
    ) -> Result<Option<Self>> {
        let config = ExecConfig {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            ..ExecConfig::default()
        };
        let exec = match engine.docker.create_exec(container, config).await {
            Ok(exec) => exec,
            Err(error) if is_not_there(&error) => return Ok(None),
            Err(error) => return Err(engine.failure(error)),
        };
        let started = engine.docker.start_exec(&exec.id, None).await;
        match started.map_err(|error| engine.failure(error))? {
            StartExecResults::Attached { output, input } => speak(output, input).await.map(Some),
            StartExecResults::Detached => Ok(None),
        }
    }

    /// In a container of its own, which is removed when the link ends.
    pub(crate) async fn into_new(
        engine: &Engine,
        name: &str,
        mut body: ContainerCreateBody,
    ) -> Result<Self> {
        body.open_stdin = Some(true);
        body.stdin_once = Some(true);
        body.attach_stdin = Some(true);
        body.attach_stdout = Some(true);
        let host = body.host_config.get_or_insert_default();
        host.auto_remove = Some(true);
        let docker = &engine.docker;
        let named = CreateContainerOptionsBuilder::new().name(name).build();
        let made = docker.create_container(Some(named), body).await;
        let id = made.map_err(|error| engine.failure(error))?.id;
        let streams = AttachContainerOptionsBuilder::new();
        let streams = streams.stream(true).stdin(true).stdout(true).build();
        let attached = docker.attach_container(&id, Some(streams)).await;
        let AttachContainerResults { output, input } =
            attached.map_err(|error| engine.failure(error))?;
        let started = docker.start_container(&id, None).await;
        started.map_err(|error| engine.failure(error))?;
        speak(output, input).await
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.requests.is_closed()
    }

    /// For who gets no answer: whether it is the link that is gone, which shows once the other end
    /// has left a ping unanswered.
    pub(crate) async fn is_lost(&self) -> bool {
        let mut open = self.open.clone();
        let closed = timeout(PING_EVERY + ANSWERS_WITHIN, open.changed()).await;
        closed.is_ok()
    }

    /// `path` begins with `/`.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://container{path}"))
            .body(Full::new(body))?;
        Ok(self.requests.clone().send_request(request).await?)
    }
}

async fn speak(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send + Unpin + 'static,
    input: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<Link> {
    let said = output.map(|said| match said {
        Ok(said) => Ok(said.into_bytes()),
        Err(error) => Err(io::Error::other(error)),
    });
    let streams = tokio::io::join(StreamReader::new(said), input);
    let (requests, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(ANSWERS_WITHIN)
        .keep_alive_while_idle(true)
        .handshake(TokioIo::new(streams))
        .await
        .context("the program in the container does not answer")?;
    let (is_open, open) = watch::channel(());
    tokio::spawn(async move {
        let _is_open = is_open;
        connection.await
    });
    Ok(Link { requests, open })
}

fn is_not_there(error: &bollard::errors::Error) -> bool {
    use bollard::errors::Error::DockerResponseServerError;
    matches!(
        error,
        DockerResponseServerError {
            status_code: 404 | 409,
            ..
        }
    )
}
