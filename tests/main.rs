//! The real binary, from outside: what it prints, how it ends, and what then runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails
#![allow(dead_code, unreachable_pub)]

mod support;

mod docs;
