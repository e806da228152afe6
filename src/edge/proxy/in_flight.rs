//! A request between its claim and the end of its reply; counted when it is dropped.

use std::sync::Arc;
use std::time::Instant;

use hyper::http::StatusCode;
use hyper::{Request, Response};

use super::copy::{Jobs, Original};
use super::sent::Sent;
use crate::edge::conversation::ConversationId;
use crate::edge::meter::Ending;
use crate::edge::table::{Claim, Table};
use crate::edge::usage::Usage;

#[derive(Clone, Copy)]
pub(super) struct Started(Instant);

impl Started {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// How a request ended that was sent nowhere.
    pub(super) fn refused(self) -> Ending {
        Ending {
            error: true,
            broken: true,
            micros: self.micros(),
            usage: Usage::default(),
        }
    }

    fn micros(self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}

/// A client that goes away ends it too, and that is no error.
pub(super) struct InFlight {
    claim: Claim,
    started: Started,
    error: bool,
    broken: bool,
    usage: Usage,
    /// Set for tunnels: how long they stay open says nothing of the agent.
    answered_after: Option<u64>,
    /// It is going to be copied.
    original: Option<Box<Original>>,
}

impl InFlight {
    pub(super) fn new(claim: Claim, started: Started) -> Self {
        Self {
            claim,
            started,
            error: false,
            broken: false,
            usage: Usage::default(),
            answered_after: None,
            original: None,
        }
    }

    /// What the request says is read along; for one that asks for no tunnel.
    pub(super) fn copy(&mut self, request: &mut Request<Sent>, jobs: &Jobs) {
        if let Some(wanted) = self.claim.wanted() {
            let original = Original::new(wanted, &self.claim, request, jobs.clone());
            self.original = Some(Box::new(original));
        }
    }

    /// A part of the reply's body.
    pub(super) fn hear(&mut self, data: &[u8]) {
        if let Some(original) = &mut self.original {
            original.heard().hear(data);
        }
    }

    /// The reply has come to its end.
    pub(super) fn end(&mut self) {
        if let Some(original) = &mut self.original {
            original.is_over();
        }
    }

    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(super) fn move_to(&mut self, claim: Claim) {
        self.claim = claim;
    }

    pub(super) fn name(&mut self, id: ConversationId, table: &Arc<Table>) {
        self.claim.name(id, table);
    }

    pub(super) fn read_head<B>(&mut self, reply: &Response<B>) {
        if let Some(original) = &mut self.original {
            original.heard().head(reply);
        }
        self.error = reply.status().is_server_error();
        self.usage = Usage::in_headers(reply.headers());
        let is_tunnel = reply.status() == StatusCode::SWITCHING_PROTOCOLS;
        self.claim.hear(is_tunnel);
        if is_tunnel {
            self.answered_after = Some(self.started.micros());
        }
    }

    /// What headers say comes before what the body says.
    pub(super) fn used(&mut self, usage: Usage) {
        self.usage = self.usage.or(usage);
    }

    pub(super) fn fail(&mut self) {
        (self.error, self.broken) = (true, true);
        if let Some(original) = &mut self.original {
            original.heard().breaks_off();
            original.is_over();
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let ending = Ending {
            error: self.error,
            broken: self.broken,
            micros: self.answered_after.unwrap_or_else(|| self.started.micros()),
            usage: self.usage,
        };
        self.claim.count(&ending);
        if let Some(original) = self.original.take() {
            original.send(&ending);
        }
    }
}
