//! One request to a registry: TLS or not, with a login where it wants one, and again where that
//! may help.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::sync::watch;

use super::auth::{self, Act, Challenge};
use super::{Credentials, Repository, Surroundings, failure, trust};

const TRIES: u32 = 3;
/// A registry that wants us to wait longer is told that we gave up.
const LONGEST: Duration = Duration::from_secs(30);

/// All that is asked, so that it can be asked again.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) act: Act,
    pub(super) method: Method,
    /// After `/v2/`, or as a registry wrote it.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

#[derive(Clone)]
pub(super) struct Wire {
    pub(super) repository: Repository,
    surroundings: Arc<Surroundings>,
    http: Client,
    kept: Arc<Mutex<Kept>>,
    /// What is said when it is asked again.
    again: Arc<watch::Sender<String>>,
}

/// What the first answers taught.
#[derive(Default)]
struct Kept {
    is_plain: bool,
    authorizations: BTreeMap<Act, String>,
}

impl Wire {
    pub(super) fn new(repository: Repository, surroundings: Surroundings) -> Result<Self> {
        Ok(Self {
            http: trust::client(&repository, &surroundings)?,
            repository,
            surroundings: Arc::new(surroundings),
            kept: Arc::default(),
            again: Arc::default(),
        })
    }

    pub(super) async fn credentials(&self) -> Result<Credentials> {
        Credentials::find(self.surroundings.docker_config.as_deref(), &self.repository).await
    }

    /// Whether it answers nobody who has not logged in.
    pub(super) async fn wants_login(&self) -> Result<bool> {
        let base = Ask {
            act: Act::Pull,
            method: Method::GET,
            path: String::new(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let status = self.patiently(&base, None).await?.status();
        match status.is_server_error() {
            true => Err(failure::of_answer(status, b"", Act::Pull, &self.repository)),
            false => Ok(status == StatusCode::UNAUTHORIZED),
        }
    }

    /// The next time that something is asked again, in words.
    pub(super) async fn again(&self) -> String {
        let mut again = self.again.subscribe();
        // The sender is ours, and so never gone.
        let _ = again.changed().await;
        again.borrow().clone()
    }

    pub(super) fn pause(&self, tried: u32) -> Duration {
        self.surroundings.pause * 2_u32.pow(tried)
    }

    /// An answer of success, or 404, which means something to each caller.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Response> {
        let act = ask.act;
        let answer = self.logged_in(ask).await?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::NOT_FOUND {
            return Ok(answer);
        }
        let body = answer.bytes().await.unwrap_or_default();
        Err(failure::of_answer(status, &body, act, &self.repository))
    }

    async fn logged_in(&self, ask: Ask) -> Result<Response> {
        let answer = self.patiently(&ask, self.kept(ask.act)).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let credentials = self.credentials().await?;
        let refused = || failure::no_login(&credentials, &self.repository);
        let challenge = Challenge::of(answer.headers())?;
        let given = auth::answer(
            &self.http,
            challenge,
            &credentials,
            &self.repository,
            ask.act,
        )
        .await;
        let given = given
            .with_context(|| self.no_login())?
            .ok_or_else(refused)?;
        let answer = self.patiently(&ask, Some(given.clone())).await?;
        match answer.status() {
            StatusCode::UNAUTHORIZED if auth::is_about_rights(answer.headers()) => {
                let cause = "the login is good, and does not reach that far";
                Err(failure::no_right(
                    ask.act,
                    &self.repository,
                    cause.to_owned(),
                ))
            }
            StatusCode::UNAUTHORIZED => Err(refused()),
            _ => {
                self.keep(|kept| kept.authorizations.insert(ask.act, given));
                Ok(answer)
            }
        }
    }

    fn no_login(&self) -> String {
        format!("could not log in to the registry {}", self.repository.host)
    }

    fn kept(&self, act: Act) -> Option<String> {
        let kept = self.kept.lock().ok()?;
        kept.authorizations.get(&act).cloned()
    }

    fn is_plain(&self) -> bool {
        self.kept.lock().is_ok_and(|kept| kept.is_plain)
    }

    fn keep<T>(&self, change: impl FnOnce(&mut Kept) -> T) {
        if let Ok(mut kept) = self.kept.lock() {
            change(&mut kept);
        }
    }

    /// Again where the registry or the way had a bad moment; what it refuses stays refused.
    async fn patiently(&self, ask: &Ask, authorization: Option<String>) -> Result<Response> {
        let mut tried = 0;
        loop {
            let answer = self.by_scheme(ask, authorization.as_deref()).await;
            tried += 1;
            let wait = match &answer {
                Ok(answer) if is_passing(answer.status()) => wait(answer.headers()),
                Err(error) if is_reset(error) => None,
                _ => return self.in_words(ask, answer),
            };
            let wait = wait.unwrap_or_else(|| self.pause(tried - 1));
            if tried == TRIES || wait > LONGEST {
                return self.in_words(ask, answer);
            }
            self.again
                .send_replace(failure::again(&answer, wait, &self.repository));
            tokio::time::sleep(wait).await;
        }
    }

    fn in_words(&self, ask: &Ask, answer: reqwest::Result<Response>) -> Result<Response> {
        answer.map_err(|error| match error.is_timeout() {
            true => failure::of_silence(waited(&error, ask), &self.repository),
            false => failure::of_way(&error, &self.repository),
        })
    }

    /// As Docker does it: on this machine itself, what does not speak TLS is spoken to without.
    async fn by_scheme(&self, ask: &Ask, authorization: Option<&str>) -> reqwest::Result<Response> {
        if self.is_plain() {
            return self.once("http", ask, authorization).await;
        }
        let answer = self.once("https", ask, authorization).await;
        let is_plain = answer.as_ref().is_err_and(speaks_no_tls);
        if !(is_plain && self.repository.is_loopback()) {
            return answer;
        }
        let plain = self.once("http", ask, authorization).await?;
        self.keep(|kept| kept.is_plain = true);
        Ok(plain)
    }

    async fn once(
        &self,
        scheme: &str,
        ask: &Ask,
        authorization: Option<&str>,
    ) -> reqwest::Result<Response> {
        let api = self.repository.api();
        let url = format!("{scheme}://{api}/v2/{}", ask.path);
        let mut request = self.http.request(ask.method.clone(), url);
        request = request.headers(ask.headers.clone()).body(ask.body.clone());
        if ask.method == Method::HEAD {
            request = request.timeout(trust::LOOK);
        }
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request.send().await
    }
}

fn waited(error: &reqwest::Error, ask: &Ask) -> Duration {
    match error.is_connect() {
        true => trust::CONNECT,
        false if ask.method == Method::HEAD => trust::LOOK,
        false => trust::SILENCE,
    }
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// In seconds; a date is as good as nothing said.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// There was a connection, and it broke.
fn is_reset(error: &reqwest::Error) -> bool {
    let broke = |kind| {
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        matches!(
            kind,
            BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
        )
    };
    failure::chain(error).any(|error| match error.downcast_ref::<io::Error>() {
        Some(error) => broke(error.kind()),
        None => error
            .downcast_ref::<hyper::Error>()
            .is_some_and(|error| error.is_incomplete_message()),
    })
}

/// It answered a TLS greeting with something else.
fn speaks_no_tls(error: &reqwest::Error) -> bool {
    matches!(failure::tls(error), Some(rustls::Error::InvalidMessage(_)))
}
