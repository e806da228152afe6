use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One environment: where the agent runs there. Every other section of agent.toml may stand here
/// too, and a key set here wins over the base: tables merge, lists and single values replace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Environment {
    /// Where the replicas run.
    pub(crate) target: TargetSpec,
    /// A person has to approve before the candidate gets traffic.
    pub(crate) approve: bool,
}

/// Where the replicas run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum TargetSpec {
    /// Processes on this machine.
    Process {
        /// The address that the agent's port is opened on.
        #[serde(default = "loopback")]
        listen: std::net::IpAddr,
    },
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self::Process { listen: loopback() }
    }
}

fn loopback() -> std::net::IpAddr {
    std::net::Ipv4Addr::LOCALHOST.into()
}
