//! Where a replica in a container finds what it is given: `docs/agent-contract.md`.

pub(super) const FOLDER: &str = "/etc/agent";
pub(super) const CONFIG: &str = "/etc/agent/config.json";
pub(super) const PROMPTS: &str = "/etc/agent/prompts";
