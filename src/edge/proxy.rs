//! The way of a request: read its conversation, claim a replica, send it there, stream the reply.
//!
//! Invariants: a request that may have been acted upon is never sent twice, except one that only
//! asks (GET, HEAD, OPTIONS) and was lost on a kept connection; a claim is held until the reply's
//! last byte; a reply that a replica breaks off is broken off to the client as well.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::api::{Arms, Key};
use super::conversation::{self, ConversationId};
use super::table::{Claim, Table};
use super::upstream::{Connection, NoReply, Upstream};

mod copy;
mod forward;
mod in_flight;
mod peek;
mod reply;
mod sent;
mod tunnel;
mod workers;

use in_flight::{InFlight, Started};
pub(super) use reply::Reply;
pub(super) use sent::Sent;
pub(crate) use workers::{Server, serve};

/// How long a request waits for a ready replica before it is given up.
const HOLD: Duration = Duration::from_secs(10);
/// Replicas that one request is tried on.
const TRIES: usize = 3;

/// One worker's part of the proxy.
pub(super) struct Proxy {
    table: Arc<Table>,
    upstream: Rc<Upstream>,
    /// Where requests go that are to be copied.
    jobs: copy::Jobs,
}

struct Answer {
    reply: Response<Incoming>,
    connection: Connection,
}

impl Proxy {
    fn new(table: Arc<Table>, jobs: copy::Jobs) -> Self {
        Self {
            table,
            upstream: Rc::default(),
            jobs,
        }
    }

    pub(super) fn upstream(&self) -> Rc<Upstream> {
        Rc::clone(&self.upstream)
    }

    /// `client` is its address, as a header tells it.
    pub(super) async fn answer(
        self: Rc<Self>,
        request: Request<Incoming>,
        client: HeaderValue,
    ) -> Result<Response<Reply>, Infallible> {
        let mut answer = self.pass(request, &client).await;
        let switches = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        if self.table.is_handed_over() && !switches {
            // The next one finds the successor by itself.
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        Ok(answer)
    }

    async fn pass(&self, mut request: Request<Incoming>, client: &HeaderValue) -> Response<Reply> {
        let started = Started::now();
        if request.method() == Method::CONNECT {
            let says = "this is no forward proxy\n".to_owned();
            return own_answer(StatusCode::METHOD_NOT_ALLOWED, says);
        }
        let asks_upgrade = forward::asks_upgrade(&request);
        let upgrade = asks_upgrade.then(|| hyper::upgrade::on(&mut request));
        let (keys, arms) = self.table.keys_and_arms();
        let (request, arm) = match &arms {
            Some(arms) => in_arm(arms, request),
            None => (request, None),
        };
        let (mut request, id) = read(&keys, request, client).await;
        let Some(claim) = self.claim(id, || self.table.claim_in(id, arm)).await else {
            return self.refuse(started);
        };
        let mut in_flight = InFlight::new(claim, started);
        if !asks_upgrade {
            in_flight.copy(&mut request, &self.jobs);
        }
        match self.exchange(&mut in_flight, request).await {
            Ok(answer) if id.is_some() => self.deliver(in_flight, answer, upgrade),
            Ok(answer) => {
                self.name(&keys, &mut in_flight, &answer.reply);
                self.deliver(in_flight, answer, upgrade)
            }
            Err(failed) => give_up(in_flight, failed),
        }
    }

    /// Waits until a replica can be had; `None`: none could in time.
    async fn claim(
        &self,
        id: Option<ConversationId>,
        mut find: impl FnMut() -> Option<Claim>,
    ) -> Option<Claim> {
        if let Some(claim) = find() {
            return Some(claim);
        }
        match tokio::time::timeout(HOLD, self.wait(find)).await {
            Ok(claim) => claim,
            Err(_) => self.table.claim_anywhere(id),
        }
    }

    async fn wait(&self, mut find: impl FnMut() -> Option<Claim>) -> Option<Claim> {
        let mut changed = self.table.changed();
        loop {
            if let Some(claim) = find() {
                return Some(claim);
            }
            changed.changed().await.ok()?;
        }
    }

    /// Tries other replicas as long as that is safe.
    async fn exchange(
        &self,
        in_flight: &mut InFlight,
        mut request: Box<Request<Sent>>,
    ) -> Result<Answer, NoReply> {
        let mut tries = 1;
        loop {
            let failed = match self.send(in_flight.claim(), request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if failed.by_client {
                return Err(failed);
            }
            let Some(unsent) = failed.unsent.filter(|_| tries < TRIES) else {
                return Err(NoReply::lost(failed.why));
            };
            let failing = in_flight.claim();
            let elsewhere = self
                .claim(failing.conversation(), || self.table.claim_again(failing))
                .await;
            let elsewhere = elsewhere.ok_or(NoReply::lost(failed.why))?;
            in_flight.move_to(elsewhere);
            request = unsent;
            tries += 1;
        }
    }

    /// On a kept connection first: what that one did not carry goes over a new one.
    async fn send(
        &self,
        claim: &Claim,
        mut request: Box<Request<Sent>>,
    ) -> Result<Answer, NoReply> {
        let replica = claim.replica();
        if let Some(mut connection) = self.upstream.take(replica) {
            let spare = spare(&request);
            match connection.send(request).await {
                Ok(reply) => return Ok(Answer { reply, connection }),
                Err(failed) if failed.by_client => return Err(failed),
                Err(failed) => request = again(failed, spare)?,
            }
        }
        let mut connection = match Connection::open(replica).await {
            Ok(connection) => connection,
            Err(why) => {
                replica.fail();
                return Err(NoReply::unsent(why, request));
            }
        };
        let reply = connection.send(request).await?;
        Ok(Answer { reply, connection })
    }

    /// A reply may name the conversation that begins with it.
    fn name(&self, keys: &[Key], in_flight: &mut InFlight, reply: &Response<Incoming>) {
        if let Some(id) = conversation::in_reply(keys, reply.headers()) {
            in_flight.name(id, &self.table);
        }
    }

    fn deliver(
        &self,
        mut in_flight: InFlight,
        answer: Answer,
        upgrade: Option<hyper::upgrade::OnUpgrade>,
    ) -> Response<Reply> {
        in_flight.read_head(&answer.reply);
        if answer.reply.status() == StatusCode::SWITCHING_PROTOCOLS {
            return tunnel::join(in_flight, answer, upgrade);
        }
        let Answer {
            mut reply,
            connection,
        } = answer;
        forward::to_client(&mut reply);
        let upstream = self.upstream();
        let (head, body) = reply.into_parts();
        let body = Reply::passing(&head, body, in_flight, connection, upstream);
        Response::from_parts(head, body)
    }

    fn refuse(&self, started: Started) -> Response<Reply> {
        self.table.refuse(&started.refused());
        let says = "no replica of this agent is ready; try again in a moment\n".to_owned();
        let mut answer = own_answer(StatusCode::SERVICE_UNAVAILABLE, says);
        let soon = HeaderValue::from_static("1");
        answer.headers_mut().insert(RETRY_AFTER, soon);
        answer
    }
}

/// The request, and the pool that what it says leads to.
fn in_arm(arms: &Arms, request: Request<Incoming>) -> (Request<Incoming>, Option<&str>) {
    let (head, body) = request.into_parts();
    let arm = arms.pool_of(&head);
    (Request::from_parts(head, body), Some(arm))
}

/// Makes the request ready to be sent, and finds its conversation.
async fn read(
    keys: &[Key],
    request: Request<Incoming>,
    client: &HeaderValue,
) -> (Box<Request<Sent>>, Option<ConversationId>) {
    let (mut head, body) = request.into_parts();
    let id = conversation::in_head(keys, &head);
    let (body, id) = match id {
        None if conversation::wants_body(keys) && peek::is_worth_it(&head, &body) => {
            let (body, whole) = peek::start_of(body).await;
            let id = whole.and_then(|whole| conversation::in_body(keys, &whole));
            (body, id)
        }
        id => (Sent::stream(body), id),
    };
    forward::to_replica(&mut head, client);
    (Box::new(Request::from_parts(head, body)), id)
}

fn give_up(mut in_flight: InFlight, failed: NoReply) -> Response<Reply> {
    if !failed.by_client {
        in_flight.fail();
    }
    let says = format!("the agent did not answer this request: {}\n", failed.why);
    own_answer(StatusCode::BAD_GATEWAY, says)
}

pub(super) fn own_answer(status: StatusCode, says: String) -> Response<Reply> {
    let mut answer = Response::new(Reply::own(Bytes::from(says)));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, plain);
    answer
}

fn again(failed: NoReply, spare: Option<Request<Sent>>) -> Result<Box<Request<Sent>>, NoReply> {
    let request = failed.unsent.or(spare.map(Box::new));
    request.ok_or(NoReply::lost(failed.why))
}

/// A copy to send again, if that does no harm.
fn spare(request: &Request<Sent>) -> Option<Request<Sent>> {
    let harmless = only_asks(request.method()) && request.body().is_end_stream();
    harmless.then(|| {
        let mut spare = Request::new(Sent::nothing());
        *spare.method_mut() = request.method().clone();
        *spare.uri_mut() = request.uri().clone();
        *spare.headers_mut() = request.headers().clone();
        *spare.version_mut() = Version::HTTP_11;
        spare
    })
}

/// PUT and DELETE may be repeated too, but an agent's tools seldom keep to that.
fn only_asks(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
}

#[cfg(test)]
mod tests;
