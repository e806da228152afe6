//! The edge: one background process per agent that keeps replicas up and stands before them. It
//! picks an upstream, keeps conversations where they began, drains and measures.
//!
//! It knows pools and shares, not releases, candidates or rollouts, and imports no other room.
//! Invariants: a request is claimed under the same lock that the table is swapped under, so none
//! is sent to what has left; a replica gets SIGTERM only after its last open request has ended or
//! its grace is over; what the edge wants is in its snapshot before it acts, so that its successor
//! goes on where it was killed; an order with a lower fence than one seen before is refused.

pub(crate) mod api;
mod conversation;
mod meter;
mod metrics;
mod proxy;
mod replica;
mod table;
mod upstream;
mod usage;
