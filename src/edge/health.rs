//! Asking a replica how it is.
//!
//! Checks never go through the proxy, so they say nothing about traffic and are in no measure.

mod course;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(super) use course::Verdict;
use course::{Course, Look};

use super::api::{Health, Standing};

/// What says nothing of itself is ready when it has run for so long.
const STEADY: Duration = Duration::from_secs(1);

/// Checks one process of a replica, from its start or from where an earlier edge left it.
pub(super) struct Watcher<'a> {
    health: &'a Health,
    address: SocketAddr,
    born: Instant,
    /// When it was last seen ready, or its start.
    unready_since: Instant,
    course: Course,
    has_started: bool,
    /// From when on it counts as ready if it cannot be asked.
    steady: Instant,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(
        health: &'a Health,
        address: SocketAddr,
        standing: Standing,
        born: Instant,
    ) -> Self {
        let has_started = standing == Standing::Ready;
        let course = Course::new(standing);
        let steady = match has_started {
            true => Instant::now(),
            false => Instant::now() + STEADY,
        };
        Watcher {
            health,
            address,
            born,
            unready_since: born,
            course,
            has_started,
            steady,
        }
    }

    pub(super) async fn look(&mut self) -> Verdict {
        let look = self.ask().await;
        if look.ready.is_ok() {
            self.unready_since = Instant::now();
        }
        self.course.judge(self.health, self.born.elapsed(), look)
    }

    /// Something else tells that it is not ready: the next look decides alone.
    pub(super) fn doubt(&mut self) {
        self.course.doubt();
    }

    /// How long to wait before the next look.
    pub(super) fn pause(&self) -> Duration {
        self.course.pause(self.health, self.unready_since.elapsed())
    }

    /// Until it has started, only `startup` is asked, because a start may be slow without harm.
    async fn ask(&mut self) -> Look {
        if let Err(why) = self.start().await {
            return Look {
                ready: Err(why),
                live: Ok(()),
            };
        }
        let ready = self.check(self.health.ready.as_deref()).await;
        self.has_started |= ready.is_ok();
        let live = match &self.health.live {
            Some(path) if self.has_started => self.check(Some(path)).await,
            _ => Ok(()),
        };
        Look { ready, live }
    }

    async fn start(&self) -> Result<(), String> {
        match &self.health.startup {
            Some(path) if !self.has_started => self.check(Some(path)).await,
            _ => Ok(()),
        }
    }

    fn runs_steadily(&self) -> Result<(), String> {
        match Instant::now() >= self.steady {
            true => Ok(()),
            false => Err("it has just been started".to_owned()),
        }
    }

    async fn check(&self, path: Option<&str>) -> Result<(), String> {
        if path.is_none() && self.health.is_mute {
            return self.runs_steadily();
        }
        let within = Duration::from_millis(self.health.timeout);
        let what = path.unwrap_or("its port");
        match tokio::time::timeout(within, check(self.address, path)).await {
            Ok(done) => done.map_err(|why| format!("{why:#}")),
            Err(_) => Err(format!(
                "no answer from {what} within {}",
                humantime::format_duration(within)
            )),
        }
    }
}

/// Succeeds when the port takes a connection, and the path, if there is one, answers 2xx.
async fn check(address: SocketAddr, path: Option<&str>) -> Result<()> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|why| anyhow!("port {}: {}", address.port(), in_words(address, &why)))?;
    // With nobody listening, the kernel may pick the very same port for this end, and connect the
    // socket to itself.
    if stream.local_addr()? == address {
        bail!("port {}: nobody listens", address.port());
    }
    match path {
        Some(path) => get(stream, address, path).await,
        None => Ok(()),
    }
}

/// What is elsewhere than on this machine's own addresses is a container.
fn in_words(address: SocketAddr, why: &io::Error) -> String {
    match why.kind() == ErrorKind::ConnectionRefused && !address.ip().is_loopback() {
        true => "connection refused; in a container listen on 0.0.0.0".to_owned(),
        false => why.to_string(),
    }
}

async fn get(stream: TcpStream, address: SocketAddr, path: &str) -> Result<()> {
    let request = hyper::Request::get(path)
        .header("host", address.to_string())
        .header("user-agent", "agentctl")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let answer = sender.send_request(request).await;
        answer
            .map(|answer| answer.status())
            .map_err(|why| anyhow!("{path}: {why}"))
    };
    let status = tokio::select! {
        status = answer => status?,
        Err(why) = connection => bail!("{path}: {why}"),
    };
    match status.is_success() {
        true => Ok(()),
        false => bail!("answers {} on {path}", status.as_u16()),
    }
}
