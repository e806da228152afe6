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
    /// Containers on a Docker host.
    Docker {
        /// As in DOCKER_HOST; not given: as the docker command finds it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "url"))]
        host: Option<String>,
        /// The address of the host that the agent's port is published on.
        #[serde(default = "everywhere")]
        listen: std::net::IpAddr,
    },
    /// Pods of a Kubernetes cluster.
    Kubernetes {
        /// The context of the kubeconfig; not given: the current one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
        /// Not given: that of the context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "namespace"))]
        namespace: Option<String>,
        /// Make the namespace too, with Pod Security labels.
        #[serde(default)]
        create_namespace: bool,
        /// The cluster's version, like `1.28`; not given: the newest. Decides which forms of objects
        /// are written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("format" = "kubernetes-version"))]
        version: Option<String>,
    },
}

impl TargetSpec {
    /// Containers; processes run from a folder.
    pub(crate) fn runs_images(&self) -> bool {
        !matches!(self, Self::Process { .. })
    }

    /// The cluster's minor version; the newest where none is given.
    pub(crate) fn minor(&self) -> u32 {
        let version = match self {
            Self::Kubernetes { version, .. } => version.as_deref(),
            _ => None,
        };
        let minor = version.and_then(|version| version.strip_prefix("1.")?.parse().ok());
        minor.unwrap_or(u32::MAX)
    }
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self::Process { listen: loopback() }
    }
}

fn everywhere() -> std::net::IpAddr {
    std::net::Ipv4Addr::UNSPECIFIED.into()
}

fn loopback() -> std::net::IpAddr {
    std::net::Ipv4Addr::LOCALHOST.into()
}
