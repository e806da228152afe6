//! The real binary, from outside: what it prints, how it ends, and what then runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod simulated;
mod source;
mod sources;
mod support;

mod ab;
mod approve;
mod autoscale;
mod bad_agents;
mod bad_input;
mod builders;
mod clusters;
mod deploy;
mod docs;
mod doctor;
mod drain;
mod gates;
mod hosts;
mod hosts_beside;
mod images;
mod init;
mod judges;
mod killed;
mod lease;
mod lints;
mod notify;
mod output;
mod probes;
mod render;
mod report;
mod rollback;
mod rooms;
mod saved;
mod scores;
mod secrets;
mod shadow;
mod stop;
mod style;
mod told;
mod views;
mod watch;
