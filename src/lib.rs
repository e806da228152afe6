//! agentctl deploys AI agents: it reads `agent.toml` and walks a rollout step by step, gated by
//! health and by measured behaviour. The rooms below are the architecture; imports between them
//! go one way only (see `docs/architecture.md`; a test reads the imports).

mod advice;
mod analysis;
mod cli;
mod docker;
mod durable;
mod edge;
mod engine;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod hex;
mod image;
mod journal;
mod notify;
mod otel;
mod redact;
mod release;
mod render;
mod rollout;
mod spec;
mod target;
mod ui;

/// For the simulations in `tests/`, which hold the judges to their promise.
#[doc(hidden)]
pub use analysis::judges;

// The edge allocates a little for every request: this allocator makes each some per cent cheaper.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub fn run() -> std::process::ExitCode {
    cli::run()
}
