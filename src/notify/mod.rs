//! Who is told how a rollout goes: Slack, webhooks, Grafana, programs.
//!
//! Telling is done by a thread of its own, which the rollout never waits for: a message is put into
//! a box, and tried again where it cannot be delivered. Invariants: the box is bounded; one place
//! that is slow or down delays no other; at the end the process waits a bounded time, and names what
//! was not delivered; no address and no key is ever part of a message about that.

mod deliver;
mod herald;
mod message;
mod outbox;
mod sign;

pub(crate) use deliver::{Lacks, places};
pub(crate) use herald::{Herald, Subject};
pub(crate) use outbox::{Outbox, Sender};
