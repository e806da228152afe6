//! The other end of a link: a program in a container that passes on what is for the edge, and keeps
//! the files of the agent that it stands beside.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /host/journal` | a call of the journal's | its answer |
//! | `GET /host/secrets` | | the values that are kept, by name |
//! | `PUT /host/secrets` | values by name | whether one that was kept has changed |
//! | `GET`, `PUT /host/address` | | the address that the agent is published at |
//! | `PUT /host/config/RELEASE` | texts by path | they are in the release's folder |
//! | `PUT /host/kept` | releases | the folders of others are gone |
//! | all else | | what the edge answers; 502 if none does |

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;

use super::{CONFIG, STATE};
use crate::edge::client::passed_on;
use crate::edge::program;
use crate::journal::{self, Directory};
use crate::release::ReleaseId;
use crate::target::{StateDir, secrets};

type Body = Either<Full<Bytes>, Incoming>;

/// One host's files, as its containers see them.
struct Attendant {
    dir: StateDir,
    config: PathBuf,
    journal: Directory,
}

/// Serves one link on standard input and output until it ends.
pub(crate) async fn attend(name: &str) -> Result<()> {
    program::step_aside(Path::new(STATE));
    let attendant = Rc::new(Attendant {
        dir: StateDir::at(STATE),
        config: CONFIG.into(),
        journal: Directory::new(STATE, name),
    });
    let streams = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
    let service = service_fn(move |request| {
        let attendant = Rc::clone(&attendant);
        async move { Ok::<_, Infallible>(attendant.answer(request).await) }
    });
    let server = http2::Builder::new(Here);
    // The link ends with whoever opened it.
    let _ = server
        .serve_connection(TokioIo::new(streams), service)
        .await;
    Ok(())
}

/// Streams of one link are served on its thread.
#[derive(Clone)]
struct Here;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, work: F) {
        tokio::task::spawn_local(work);
    }
}

impl Attendant {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let answered = match path.strip_prefix("/host/") {
            Some(what) => self.host(what, request).await,
            None => passed_on(Path::new(STATE), to_the_edge(request))
                .await
                .map(|answer| answer.map(Either::Right))
                .or_else(|error| Ok(said(StatusCode::BAD_GATEWAY, &format!("{error:#}")))),
        };
        answered
            .unwrap_or_else(|error| said(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")))
    }

    async fn host(&self, what: &str, request: Request<Incoming>) -> Result<Response<Body>> {
        let method = request.method().clone();
        let body = request.into_body().collect().await?.to_bytes();
        Ok(match (method, what) {
            (Method::POST, "journal") => {
                let answer = journal::answer(&self.journal, &body).await;
                Response::new(Either::Left(Full::new(answer.into())))
            }
            (Method::GET, "secrets") => json(&secrets::kept(&self.dir)?),
            (Method::PUT, "secrets") => {
                json(&secrets::keep(&self.dir, serde_json::from_slice(&body)?)?)
            }
            (Method::GET, "address") => json(&self.dir.kept_address()?),
            (Method::PUT, "address") => {
                let address: SocketAddr = serde_json::from_slice(&body)?;
                json(&self.dir.keep_address(address)?)
            }
            (Method::PUT, "kept") => json(&self.keep_only(&serde_json::from_slice(&body)?)?),
            (Method::PUT, what) => {
                let release = what
                    .strip_prefix("config/")
                    .context("no such thing is kept")?;
                let release = release.parse().map_err(anyhow::Error::msg)?;
                json(&self.place(release, &serde_json::from_slice(&body)?)?)
            }
            _ => bail!("no such thing is kept"),
        })
    }

    /// Whole or not at all; a folder that is right is never changed, because replicas read it. One of
    /// other texts is what another history left, which nobody reads any more.
    fn place(&self, release: ReleaseId, texts: &BTreeMap<String, String>) -> Result<()> {
        let folder = self.config.join(release.to_string());
        let has = |(path, text): (&String, &String)| {
            fs::read_to_string(folder.join(path)).is_ok_and(|there| there == *text)
        };
        if folder.is_dir() && texts.iter().all(has) {
            return Ok(());
        }
        let fresh = self.config.join(format!("{release}.new"));
        remove(&fresh)?;
        for (path, text) in texts {
            let inside = Path::new(path).components();
            if !inside
                .clone()
                .all(|part| matches!(part, Component::Normal(_)))
            {
                bail!("{path} is no path below the release's folder");
            }
            let file = fresh.join(inside.collect::<PathBuf>());
            fs::create_dir_all(file.parent().unwrap_or(&fresh))?;
            fs::write(file, text)?;
        }
        remove(&folder)?;
        fs::rename(fresh, folder).context("could not keep the release's configuration")
    }

    fn keep_only(&self, releases: &BTreeSet<ReleaseId>) -> Result<()> {
        for entry in fs::read_dir(&self.config)? {
            let entry = entry?;
            let name = entry.file_name();
            let release = name
                .to_str()
                .and_then(|name| name.parse::<ReleaseId>().ok());
            if release.is_some_and(|release| !releases.contains(&release)) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// HTTP/1 wants a path alone, and names its host.
fn to_the_edge(mut request: Request<Incoming>) -> Request<Incoming> {
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map(Into::into).unwrap_or_default();
    *request.version_mut() = hyper::Version::HTTP_11;
    let host = hyper::header::HeaderValue::from_static("edge");
    request.headers_mut().insert("host", host);
    request
}

fn json(content: &impl Serialize) -> Response<Body> {
    // Strings, numbers and lists are always JSON.
    let bytes = serde_json::to_vec(content).unwrap_or_default();
    Response::new(Either::Left(Full::new(bytes.into())))
}

fn said(status: StatusCode, says: &str) -> Response<Body> {
    let mut response = json(&Value::from(says));
    *response.status_mut() = status;
    response
}
