//! `agent.toml` as types: its keys, defaults, ranges, environments and contradictions, and the
//! place in the file that an error points at.
//!
//! No I/O: the caller reads files and hands in the environment variables. Invariant: a `Spec` that
//! exists is valid; no later room checks a key again. The types are the one list of keys: the
//! schema is made from them, and the check of a file's shape and the reference read the schema.

mod ab;
mod agent;
mod beside;
mod build;
mod check;
mod container;
pub(crate) mod contract;
mod environment;
mod fit;
mod format;
mod gate_source;
mod health;
mod later;
mod limits;
mod llm_judge;
mod load;
mod metric_gate;
mod names;
mod network;
mod notify;
mod observe;
mod origin;
mod overlay;
mod percent;
mod period;
mod probe;
mod problem;
mod quantity;
#[cfg(test)]
mod reference;
mod resolve;
mod rollout;
mod scale;
mod schema;
mod shape;
mod show;
mod source;
mod starter;
mod template;
mod wording;

pub(crate) use ab::{Ab, Says, beyond_nginx};
pub(crate) use agent::{Config, Kind, Risk, SecretSource, Spec, UTC};
pub(crate) use beside::{Mode, Preset, SecretStore, Service, Sidecar, Tool};
pub(crate) use build::{Allow, Build, CONTENT_TAG, Image, Manager, Runtime};
pub(crate) use container::{Gpu, Nodes, Resources, Toleration, Volume};
pub(crate) use environment::{Environment, TargetSpec};
pub(crate) use gate_source::{GateSource, Login};
pub(crate) use health::{ConversationKey, Drain, Health};
pub(crate) use llm_judge::{LlmJudge, Rubric};
pub(crate) use load::{Loaded, agent_place};
pub(crate) use metric_gate::Against;
pub(crate) use metric_gate::{Bound, Metric, MetricGate, Unclear};
pub(crate) use names::{has_password, image_name, looks_secret};
pub(crate) use network::{Network, Router};
pub(crate) use notify::{Format, Moment, Notify};
pub(crate) use observe::{Observe, Otel};
pub(crate) use percent::Percent;
pub(crate) use period::Period;
pub(crate) use probe::{Expect, Probe, ProbeRequest};
pub(crate) use problem::{Problem, Problems};
pub(crate) use quantity::Quantity;
pub(crate) use rollout::{Rollback, Rollout, RolloutStep, Shadow, Strategy};
pub(crate) use scale::{Figure, Queue, QueueKind, Scale, Scaler, Window};
pub(crate) use schema::schema;
pub(crate) use show::{key, show};
pub(crate) use starter::{Folder, starter};
pub(crate) use template::{Part, Template};

#[cfg(test)]
mod tests;
