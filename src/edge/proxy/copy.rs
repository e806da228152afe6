//! Copies of requests: what a candidate is asked as well, and how it answers.
//!
//! Invariant: a request is neither held up nor failed by its copy. What is sent is read along as it
//! passes; the copy goes out when the request's own answer has ended; whatever is too large or too
//! much is dropped and counted.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Version};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::in_flight::{InFlight, Started};
use super::sent::{Along, Sent};
use super::{Proxy, Reply};
use crate::edge::meter::Ending;
use crate::edge::pair::{Asked, Heard, Pair};
use crate::edge::table::{Claim, Held, Wanted};

/// What an agent knows a copy by: nobody outside is let to say it.
pub(super) static SHADOW: HeaderName = HeaderName::from_static("x-agentctl-shadow");

/// Copies that wait, and that are underway, of one worker.
const MOST_WAITING: usize = 256;
const MOST_OPEN: usize = 64;
/// A copy that was not answered by then counts as broken off.
const WITHIN: Duration = Duration::from_secs(300);

pub(super) type Jobs = mpsc::Sender<Job>;

pub(super) fn queue() -> (Jobs, mpsc::Receiver<Job>) {
    mpsc::channel(MOST_WAITING)
}

/// A request that is going to be copied, while it is answered.
pub(super) struct Original {
    wanted: Wanted,
    asked: Asked,
    along: Along,
    heard: Heard,
    pool: Arc<str>,
    is_over: bool,
    jobs: Jobs,
}

/// A copy that is to be made.
pub(super) struct Job {
    wanted: Wanted,
    asked: Asked,
    original: Heard,
    pool: Arc<str>,
    ending: Ending,
    held: Held,
}

impl Original {
    pub(super) fn new(
        wanted: Wanted,
        claim: &Claim,
        request: &mut Request<Sent>,
        jobs: Jobs,
    ) -> Self {
        Self {
            wanted,
            asked: Asked {
                method: request.method().clone(),
                uri: request.uri().clone(),
                headers: request.headers().clone(),
                body: Bytes::new(),
            },
            along: request.body_mut().read_along(),
            heard: Heard::default(),
            pool: claim.pool(),
            is_over: false,
            jobs,
        }
    }

    pub(super) fn heard(&mut self) -> &mut Heard {
        &mut self.heard
    }

    /// It was answered, or its replica failed: whoever went away meanwhile says nothing of the two.
    pub(super) fn is_over(&mut self) {
        self.is_over = true;
    }

    pub(super) fn send(mut self, ending: &Ending) {
        let mirror = Arc::clone(self.wanted.mirror());
        let body = self.along.whole().filter(|_| self.is_over);
        let job = body.and_then(|body| {
            let held = mirror.hold(body.len() + self.heard.bytes())?;
            self.heard.pool = self.pool.to_string();
            self.heard.millis = ending.micros / 1_000;
            self.asked.body = body;
            Some(Job {
                wanted: self.wanted,
                asked: self.asked,
                original: self.heard,
                pool: self.pool,
                ending: *ending,
                held,
            })
        });
        if job.is_none_or(|job| self.jobs.try_send(job).is_err()) {
            mirror.drop_one();
        }
    }
}

impl Job {
    fn request(&self) -> Box<Request<Sent>> {
        let mut request = Request::new(Sent::whole(self.asked.body.clone()));
        *request.method_mut() = self.asked.method.clone();
        *request.uri_mut() = self.asked.uri.clone();
        *request.headers_mut() = self.asked.headers.clone();
        *request.version_mut() = Version::HTTP_11;
        let yes = HeaderValue::from_static("1");
        request.headers_mut().insert(&SHADOW, yes);
        Box::new(request)
    }
}

/// One worker's copies, until it is dropped.
pub(super) async fn work(proxy: Rc<Proxy>, mut jobs: mpsc::Receiver<Job>) {
    let mut open = JoinSet::new();
    while let Some(job) = jobs.recv().await {
        if open.len() >= MOST_OPEN {
            open.join_next().await;
        }
        open.spawn_local(ask(Rc::clone(&proxy), job));
        while open.try_join_next().is_some() {}
    }
}

async fn ask(proxy: Rc<Proxy>, job: Job) {
    let mirror = Arc::clone(job.wanted.mirror());
    let told = (&job.pool, &job.ending);
    let Some(claim) = proxy.table.claim_copy(&job.wanted, told) else {
        return mirror.drop_one();
    };
    let copy = tokio::select! {
        copy = answered(&proxy, claim, job.request()) => copy,
        () = mirror.over() => return,
    };
    // Comparing and writing are no work for a thread that passes requests on.
    let noted = tokio::task::spawn_blocking(move || {
        let _held = job.held;
        mirror.note(&Pair {
            at: now(),
            asked: job.asked,
            original: job.original,
            copy,
        });
    });
    let _ = noted.await;
}

async fn answered(proxy: &Proxy, claim: Claim, request: Box<Request<Sent>>) -> Heard {
    let (begun, mut heard) = (Instant::now(), Heard::default());
    heard.pool = claim.pool().to_string();
    let mut in_flight = InFlight::new(claim, Started::now());
    let sent = proxy.send(in_flight.claim(), request);
    match timeout_at(begun + WITHIN, sent).await {
        Ok(Ok(answer)) => {
            heard.head(&answer.reply);
            let reply = proxy.deliver(in_flight, answer, None).into_body();
            listen(reply, &mut heard, begun + WITHIN).await;
        }
        Ok(Err(_)) | Err(_) => {
            in_flight.fail();
            heard.breaks_off();
        }
    }
    heard.millis = begun.elapsed().as_millis() as u64;
    heard
}

async fn listen(mut reply: Reply, heard: &mut Heard, deadline: Instant) {
    loop {
        match timeout_at(deadline, next(&mut reply)).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    heard.hear(&data);
                }
            }
            Ok(None) => return,
            Ok(Some(Err(_))) => return heard.breaks_off(),
            Err(_) => {
                reply.give_up();
                return heard.breaks_off();
            }
        }
    }
}

async fn next(reply: &mut Reply) -> Option<Result<Frame<Bytes>, hyper::Error>> {
    std::future::poll_fn(|cx| Pin::new(&mut *reply).poll_frame(cx)).await
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}
