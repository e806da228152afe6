//! The connection on which BuildKit asks back: here this side is the server.

use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;

use super::grpc::{Code, Messages, Reply, answer, refuse};
use super::messages::{HealthAnswer, LoginAnswer, LoginRequest, SecretAnswer, SecretRequest};
use super::{Offer, filesync, random};
use crate::docker::{Engine, Upgraded, empty};
use crate::image::registry::{Credentials, Repository};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SECRET: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const LOGIN: &str = "/moby.filesync.v1.Auth/Credentials";
const FILES: &str = "/moby.filesync.v1.FileSync/DiffCopy";

/// It ends when it is dropped.
pub(super) struct Session {
    pub(super) id: String,
    serving: JoinHandle<()>,
}

impl Session {
    pub(super) async fn open(engine: &Engine, offer: Offer) -> Result<Self> {
        let id = random();
        let mut request = Request::post("/session")
            .header("Connection", "Upgrade")
            .header("Upgrade", "h2c")
            .header("X-Docker-Expose-Session-Uuid", &id)
            .header("X-Docker-Expose-Session-Name", "agentctl")
            // Under the same key BuildKit would compare with what it got last time by size and
            // time, and the time is always the same.
            .header("X-Docker-Expose-Session-Sharedkey", random());
        for method in [HEALTH, SECRET, LOGIN, FILES] {
            request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
        }
        let connection = engine.upgrade(request.body(empty())?).await;
        let connection = connection.context("BuildKit opens no session")?;
        Ok(Self {
            id,
            serving: tokio::spawn(serve(connection, Arc::new(offer))),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(connection: Upgraded, offer: Arc<Offer>) {
    let service = service_fn(move |request| called(request, offer.clone()));
    let server = http2::Builder::new(TokioExecutor::new());
    // What goes wrong here, the build itself reports.
    let _ = server
        .serve_connection(connection.into_inner(), service)
        .await;
}

async fn called(request: Request<Incoming>, offer: Arc<Offer>) -> Result<Reply> {
    let (head, body) = request.into_parts();
    let messages = Messages::new(body);
    let replied = match head.uri.path() {
        HEALTH => answer(&HealthAnswer { status: 1 }),
        SECRET => secret(messages, &offer).await,
        LOGIN => login(messages, &offer).await,
        FILES => filesync::serve(&head.headers, messages, &offer),
        _ => refuse(Code::Unimplemented),
    };
    replied.or_else(|_| refuse(Code::Internal))
}

async fn secret(mut messages: Messages, offer: &Offer) -> Result<Reply> {
    let asked: SecretRequest = messages.only().await?;
    match offer.secrets.get(&asked.id) {
        Some(value) => answer(&SecretAnswer {
            value: Bytes::copy_from_slice(value.as_bytes()),
        }),
        None => refuse(Code::NotFound),
    }
}

async fn login(mut messages: Messages, offer: &Offer) -> Result<Reply> {
    let asked: LoginRequest = messages.only().await?;
    let registry = Repository::at(&asked.host);
    answer(&match offer.logins.of(&registry).await {
        Credentials::None => LoginAnswer::default(),
        Credentials::Basic(username, password) => LoginAnswer { username, password },
        // So BuildKit knows one.
        Credentials::Identity(password) => LoginAnswer {
            username: String::new(),
            password,
        },
    })
}
