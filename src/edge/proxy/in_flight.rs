//! A request between its claim and the end of its reply; counted when it is dropped.

use std::sync::Arc;
use std::time::Instant;

use hyper::Response;
use hyper::http::StatusCode;

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
        self.error = reply.status().is_server_error();
        self.usage = Usage::in_headers(reply.headers());
        if reply.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.answered_after = Some(self.started.micros());
        }
    }

    /// What headers say comes before what the body says.
    pub(super) fn used(&mut self, usage: Usage) {
        self.usage = self.usage.or(usage);
    }

    pub(super) fn fail(&mut self) {
        (self.error, self.broken) = (true, true);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.claim.count(&Ending {
            error: self.error,
            broken: self.broken,
            micros: self.answered_after.unwrap_or_else(|| self.started.micros()),
            usage: self.usage,
        });
    }
}
