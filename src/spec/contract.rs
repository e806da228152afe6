//! What is promised to a replica in a container (`docs/agent-contract.md`), and what its cluster
//! has to know for that: checked here, and rendered so.

pub(crate) const FOLDER: &str = "/etc/agent";
pub(crate) const CONFIG: &str = "/etc/agent/config.json";
pub(crate) const PROMPTS: &str = "/etc/agent/prompts";

/// The OpenTelemetry collector beside a replica, and where it listens: OTLP over gRPC and HTTP, and
/// its health.
pub(crate) const COLLECTOR: &str = "otel-collector";
pub(crate) const COLLECTOR_GRPC: u16 = 4317;
pub(crate) const COLLECTOR_HTTP: u16 = 4318;
pub(crate) const COLLECTOR_HEALTH: u16 = 13133;

/// Containers of a Compose stack that are the agent's own, as `<agent>-front`.
pub(crate) const FRONT: &str = "front";
pub(crate) const STACK_COLLECTOR: &str = "collector";
pub(crate) const DISKS: &str = "disks";

/// The minor versions of Kubernetes from which init containers may go on beside the others, a schedule
/// may have a time zone, and whoever is not root may be let listen on low ports.
pub(crate) const NATIVE_SIDECARS: u32 = 29;
pub(crate) const TIME_ZONES: u32 = 27;
pub(crate) const LOW_PORTS: u32 = 22;
