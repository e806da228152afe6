//! `agent.toml` as types: its keys, defaults, ranges, environments and contradictions, and the
//! place in the file that an error points at.
//!
//! No I/O: the caller reads files and hands in the environment variables. Invariant: a `Spec` that
//! exists is valid; no later room checks a key again.

mod agent;
mod percent;
mod period;
mod rollout;
mod template;

pub(crate) use agent::{
    Agent, Config, ConversationKey, Drain, Environment, Health, Kind, Run, SecretSource, Spec,
    Startup, TargetSpec,
};
pub(crate) use percent::Percent;
pub(crate) use period::Period;
pub(crate) use rollout::{
    Bound, Expect, Metric, MetricGate, Probe, ProbeRequest, Rollback, Rollout, RolloutStep,
    Strategy, Unclear,
};
pub(crate) use template::{Part, Template};
