//! agentctl deploys AI agents: it reads `agent.toml` and walks a rollout step by step, gated by
//! health and by measured behaviour. The rooms below are the architecture; imports between them
//! go one way only (see `docs/architecture.md`; a test reads the imports).
#![allow(dead_code, unused_imports)] // until every room has its caller

mod edge;
mod journal;
mod release;
mod rollout;
mod spec;

pub fn run() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
